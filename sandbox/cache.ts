import { mkdir, mkdtemp, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir, platform, arch } from 'node:os';
import { basename, join } from 'node:path';
import type { Progress } from './progress.js';

/** Holders of a lock touch it every two seconds; one untouched for this long was left behind by a crash. */
const ABANDONED_AFTER_MS = 20_000;

/** `linux-x64`: part of every file name in the cache, which several machines may share. */
export const machine = `${platform()}-${arch()}`;

/** Where downloaded and built servers are kept: outside the clone, so that every clone uses the same ones. */
export function cacheDirectory(): string {
  const chosen = process.env['LANDFALL_CACHE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Caches', 'landfall');
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'landfall');
}

/** The path of `name` in the cache if it is there, whole. */
export async function inCache(name: string, directory = cacheDirectory()): Promise<string | undefined> {
  const path = join(directory, name);
  return (await exists(path)) ? path : undefined;
}

/**
 * The cached file or directory `name`, made by `produce` where it is missing.
 *
 * `produce` works in an empty directory beside the cache and returns the path, in there, of what it made; only
 * then a rename gives it its name, so that a part is never taken for the whole. One process at a time produces
 * a name while others wait for it. Where two do it after all (a lock wrongly held for abandoned), both make
 * the same thing and the second result is dropped.
 */
export async function cached(
  name: string,
  progress: Progress,
  produce: (workDirectory: string) => Promise<string>,
  directory = cacheDirectory(),
): Promise<string> {
  const path = join(directory, name);
  if (await exists(path)) return path;
  await mkdir(directory, { recursive: true });
  const release = await lock(`${path}.lock`, progress);
  try {
    if (await exists(path)) return path;
    await removeAbandonedWork(directory, name);
    const workDirectory = await mkdtemp(join(directory, `${name}.part-`));
    try {
      await putInPlace(await produce(workDirectory), path);
    } finally {
      await rm(workDirectory, { recursive: true, force: true });
    }
    return path;
  } finally {
    await release();
  }
}

async function putInPlace(made: string, path: string): Promise<void> {
  try {
    await rename(made, path);
  } catch (error) {
    // A directory cannot be renamed onto one that another process put there in the meantime: theirs will do.
    if (!(await exists(path))) throw error;
  }
}

async function lock(path: string, progress: Progress): Promise<() => Promise<void>> {
  let waiting = false;
  for (;;) {
    try {
      await (await open(path, 'wx')).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await isAbandoned(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!waiting) progress(`Waiting for another process that is making ${basename(path, '.lock')}…`);
    waiting = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, 2000);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  };
}

async function isAbandoned(path: string): Promise<boolean> {
  const held = await stat(path).catch(() => undefined);
  return held !== undefined && Date.now() - held.mtimeMs > ABANDONED_AFTER_MS;
}

/** Only an hour later, since a process that lost its lock may still be at work. */
async function removeAbandonedWork(directory: string, name: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    if (!entry.startsWith(`${name}.part-`)) continue;
    const left = await stat(join(directory, entry)).catch(() => undefined);
    if (left !== undefined && Date.now() - left.mtimeMs > 3_600_000) {
      await rm(join(directory, entry), { recursive: true, force: true });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
