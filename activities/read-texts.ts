import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { Failure, failureTypes } from '../model/failure.js';
import type { Store } from '../stores/store.js';
import type { ReadText, ReadTexts, SeenFile } from '../vendors/vendor.js';

/** Bytes: 64 MiB list some 500,000 files. */
const longestText = 64 * 1024 * 1024;

/**
 * Reads small files whole, by way of `folder`: gzip by its first bytes, then UTF-8. One that changed or vanished since
 * it was listed is left out; one that cannot be read says why.
 */
export async function readTexts(
  store: Store,
  files: readonly SeenFile[],
  folder: string,
  signal: AbortSignal,
): Promise<ReadTexts> {
  const texts = new Map<string, ReadText>();
  const path = join(folder, 'text');
  for (const file of files) {
    if (file.size > longestText) {
      texts.set(file.key, { fault: `It is longer than ${longestText} bytes.` });
      continue;
    }
    try {
      await store.fetch(file, path, { signal });
    } catch (error) {
      if (error instanceof Failure && error.type === failureTypes.fileChanged) continue;
      throw error;
    }
    texts.set(file.key, await decode(await readFile(path)));
  }
  return texts;
}

async function decode(bytes: Buffer): Promise<ReadText> {
  let plain = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = await promisify(gunzip)(bytes, { maxOutputLength: longestText });
    } catch (error) {
      const tooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      const fault = tooLong ? `It is longer than ${longestText} bytes.` : 'Its gzip is damaged or cut off.';
      return { fault };
    }
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(plain) };
  } catch {
    return { fault: 'It is not UTF-8.' };
  }
}
