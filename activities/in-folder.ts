import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder for one attempt, gone afterwards whatever happens. */
export async function inFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(parent, 'batch-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
