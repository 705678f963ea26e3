import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { run } from './commands.js';
import type { Progress } from './progress.js';
import type { Account } from './server-process.js';

/** Where a cluster lies, and who runs its server. */
export interface PostgresPlace {
  /** The cluster itself: the directory that was asked for, or one that the server's account can reach. */
  readonly dataDir: string;
  /** The account the server runs as; undefined means our own. */
  readonly account: Account | undefined;
  readonly password: string;
  readonly logFile: string;
}

/** Where data goes when root asks for a directory that no other account can reach. */
const SHARED_DATA = '/var/lib/landfall';
const SIGNPOST = 'WHERE-THE-DATA-LIES.txt';

/**
 * Settles where the cluster wanted at `wantedDir` really lies.
 *
 * Postgres refuses to run as root, so root's server runs as another account, and that account must reach the
 * data. A clone below /root, or below a directory of mkdtemp, is closed to it; then the data goes to
 * /var/lib/landfall and a signpost stands in the directory that was asked for. Deleting that directory, signpost
 * included, means starting afresh, as it does for data that lie where they were wanted.
 */
export async function postgresPlace(wantedDir: string, progress: Progress): Promise<PostgresPlace> {
  const wanted = resolve(wantedDir);
  await mkdir(dirname(wanted), { recursive: true });
  const signpost = join(wanted, SIGNPOST);
  const account = await accountFor(wanted);

  const moved = await readFile(signpost, 'utf8').then(
    () => true,
    () => false,
  );
  if (account === undefined) {
    if (moved) {
      throw new Error(
        `The Postgres data of ${wanted} were made by root and lie elsewhere (see ${signpost}). ` +
          `Start as root again, or delete ${wanted} to begin with an empty database.`,
      );
    }
    await refuseForeignData(wanted);
    return placed(wanted, wanted, account);
  }
  if (!moved && (await canReach(dirname(wanted), account))) return placed(wanted, wanted, account);

  const dataDir = sharedPlace(wanted);
  if (!moved) {
    progress(`Keeping the Postgres data in ${dataDir}: no account but root can reach ${wanted}`);
    await rm(dataDir, { recursive: true, force: true });
    await mkdir(wanted, { recursive: true });
    await writeFile(
      signpost,
      `Postgres does not run as root, and no other account can reach this directory.\n` +
        `The data lie in ${dataDir}.\n` +
        `Delete this directory to begin with an empty database.\n`,
    );
  }
  await mkdir(SHARED_DATA, { recursive: true });
  await chmod(SHARED_DATA, 0o755);
  return placed(wanted, dataDir, account);
}

const sharedPlace = (wanted: string): string =>
  join(SHARED_DATA, createHash('sha256').update(wanted).digest('hex').slice(0, 16));

/** Deletes the cluster wanted at `wantedDir` wherever it lies, with its password and log. Its server is stopped. */
export async function deleteCluster(wantedDir: string): Promise<void> {
  const wanted = resolve(wantedDir);
  const moved = await stat(join(wanted, SIGNPOST)).catch(() => undefined);
  if (moved !== undefined) await rm(sharedPlace(wanted), { recursive: true, force: true });
  for (const path of [wanted, `${wanted}.password`, `${wanted}.log`]) {
    await rm(path, { recursive: true, force: true });
  }
}

/** Password and log stay beside the directory that was asked for, wherever the data are. */
async function placed(wanted: string, dataDir: string, account: Account | undefined): Promise<PostgresPlace> {
  return { dataDir, account, password: await keptPassword(wanted, dataDir), logFile: `${wanted}.log` };
}

/** Root runs a cluster as the one who owns it, a new one as `postgres`, and where there is none as `nobody`. */
async function accountFor(wanted: string): Promise<Account | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const owner = await stat(join(wanted, 'PG_VERSION')).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    if (uid.ok && gid.ok) return { uid: Number(uid.output), gid: Number(gid.output) };
  }
  throw new Error(
    'Postgres does not run as root, and this machine has neither a user "postgres" nor a user "nobody" to run ' +
      'it. Create one ("useradd postgres"), start as a normal user, or set DATABASE_URL to a server of your own.',
  );
}

async function refuseForeignData(wanted: string): Promise<void> {
  const owner = await stat(wanted).catch(() => undefined);
  if (owner === undefined || owner.uid === userInfo().uid) return;
  throw new Error(
    `The Postgres data in ${wanted} belong to user id ${owner.uid}, not to you (${userInfo().uid}). ` +
      'Start as that user or as root, or delete the directory to begin with an empty database.',
  );
}

/** Tried rather than computed from mode bits, so that access lists and mount options count too. */
async function canReach(directory: string, account: Account): Promise<boolean> {
  const tried = await run('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { account, cwd: '/' });
  return tried.ok;
}

/** The cluster's password, in a file of its own that only we can read. */
async function keptPassword(wanted: string, dataDir: string): Promise<string> {
  const file = `${wanted}.password`;
  const password = randomBytes(18).toString('base64url');
  try {
    await writeFile(file, password, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readFile(file, 'utf8')).trim();
  }
  const existing = await stat(join(dataDir, 'PG_VERSION')).catch(() => undefined);
  if (existing === undefined) return password;
  await rm(file);
  throw new Error(
    `The Postgres data of ${wanted} are there, but their password file ${file} is not. ` +
      `Put the file back, or delete ${wanted} to begin with an empty database.`,
  );
}

/**
 * Makes the cluster of `place` unless it is there: in a directory beside it, renamed when it is complete, so
 * that half a cluster is never taken for one.
 */
export async function createCluster(
  place: PostgresPlace,
  initdb: string,
  user: string,
  progress: Progress,
): Promise<void> {
  if (await stat(join(place.dataDir, 'PG_VERSION')).catch(() => undefined)) return;
  progress(`Creating a Postgres cluster in ${place.dataDir}`);
  const work = await mkdtemp(`${place.dataDir}.new-`);
  try {
    const passwordFile = join(work, 'password');
    await writeFile(passwordFile, place.password, { mode: 0o600 });
    if (place.account !== undefined) {
      await chown(work, place.account.uid, place.account.gid);
      await chown(passwordFile, place.account.uid, place.account.gid);
    }
    const data = join(work, 'data');
    // The builtin provider sorts and folds case alike on Linux and macOS, whatever locales are installed.
    const args = [
      `--pgdata=${data}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      '--no-sync',
    ];
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
    const made = await run(initdb, args, { account: place.account, env, cwd: '/' });
    if (!made.ok) {
      throw new Error(
        `A Postgres cluster could not be created in ${place.dataDir}: ${made.failure}. ` +
          'Mend what it says, or set DATABASE_URL to a Postgres server of your own.',
      );
    }
    await rename(data, place.dataDir).catch(async (error: unknown) => {
      // Another process was faster; the password file was made once, so its cluster is as good as ours.
      if (!(await stat(join(place.dataDir, 'PG_VERSION')).catch(() => undefined))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
