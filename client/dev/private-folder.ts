/** The folder of `landfall dev`, which holds passwords, a configuration with keys, and data. */

import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const mine = 0o700;
/** Others may pass through to what is theirs, and see nothing. */
const passable = 0o711;

/**
 * Makes the folder for this user alone, what lies in it already too, and lets this process and those that it starts make
 * files that others cannot read. Returns what takes the latter back.
 */
export async function makePrivateFolder(folder: string): Promise<() => void> {
  const before = process.umask(0o077);
  await mkdir(folder, { recursive: true });
  // An earlier start as root may have left a cluster here that belongs to the account that Postgres runs as.
  const cluster = await stat(join(folder, 'postgres', 'PG_VERSION')).catch(() => undefined);
  const isForeign = cluster !== undefined && cluster.uid !== process.getuid?.();
  await chmod(folder, isForeign ? passable : mine);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === 'postgres') continue;
    if (entry.isDirectory()) await chmod(join(folder, entry.name), mine);
    else if (entry.isFile()) await chmod(join(folder, entry.name), 0o600);
  }
  return () => void process.umask(before);
}
