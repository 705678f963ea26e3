import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

/** Lines of a gzip file that ends properly and with a line feed, without their line feeds. */
export async function linesOf(path: string): Promise<readonly string[]> {
  const text = gunzipSync(await readFile(path)).toString('utf8');
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Error(`${path} does not end with a line feed`);
  return text.slice(0, -1).split('\n');
}
