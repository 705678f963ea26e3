import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isAlive } from './is-alive.js';

const folderName = /^worker-(\d+)-/;

/**
 * A folder for this worker's files on their way, named after its process; the folders of workers that were killed are
 * removed.
 */
export async function makeSpool(parent = defaultParent()): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    const pid = folderName.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) {
      await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
  return mkdtemp(join(parent, `worker-${process.pid}-`));
}

/** Users of one machine share its temporary directory, but not what they put there. */
function defaultParent(): string {
  return join(tmpdir(), `landfall-${process.getuid?.() ?? 'user'}`);
}
