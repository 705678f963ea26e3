/** Files that are of another format than their delivery's: an error page, an archive, or nothing at all. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

import type { Failure } from '../model/failure.js';
import { firstBytes } from '../model/first-bytes.js';
import { isGzip, type FileAt } from './file-bytes.js';
import { unreadableFile } from './unreadable.js';

/** What a file is, by its first bytes: none of them begins JSON, a CSV's header or Parquet. */
const others: readonly (readonly [what: string, begins: RegExp])[] = [
  ['a ZIP archive', /^PK(?:\x03\x04|\x05\x06|\x07\x08)/],
  ['Zstandard', /^\x28\xb5\x2f\xfd/],
  ['bzip2', /^BZh[1-9]/],
  ['xz', /^\xfd7zXZ\x00/],
  ['LZ4', /^\x04\x22\x4d\x18/],
  ['a 7-Zip archive', /^7z\xbc\xaf\x27\x1c/],
  ['Snappy', /^\xff\x06\x00\x00sNaPpY/],
  ['encrypted by PGP', /^-----BEGIN PGP /],
  ['in UTF-16', /^(?:\xff\xfe|\xfe\xff)/],
  ['HTML', /^(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b/i],
  ['an XML document', /^(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!doctype|[a-z_][\w.:-]*[\s/>])/i],
];

const gzip: (typeof others)[number] = ['gzip', /^\x1f\x8b/];
const parquet: (typeof others)[number] = ['Parquet', /^PAR1/];

/** Bytes in which a format shows. */
const headBytes = 4_096;

/**
 * Throws `FileUnreadable` for a file without a byte, for one that by its first bytes, of gzip also of what is in it, is of
 * another format, and for one whose name says gzip and which is none and holds no row. Gzip that is whole and empty is a
 * file without rows: whoever wrote it wrote it to its end. A file that is cut off or damaged is for its reader to tell.
 */
export async function refuseOtherFormats(file: FileAt, format: string): Promise<void> {
  const head = await headOf(file.path);
  if (head.length === 0) {
    throw unreadableFile(file.key, format, 'it is empty, which no whole file is: it has not a single byte.');
  }
  const binary = format === 'Parquet';
  const known = [...others, binary ? gzip : parquet];
  const found = whatIs(head, known);
  if (found !== undefined)
    throw unreadableFile(file.key, format, `it is ${found}, and begins with ${firstBytes(head)}.`);
  if (binary) return;
  if (await isGzip(file.path)) {
    const inner = await innerHead(file.path);
    const within = whatIs(inner, [...known, gzip]);
    if (within === undefined) return;
    throw unreadableFile(
      file.key,
      format,
      `in its gzip it is ${within}, and begins with ${firstBytes(inner)}.`,
    );
  }
  if (/\.gz$/i.test(file.key) && (await isBlank(file.path))) {
    throw unreadableFile(file.key, format, 'its name says gzip, and it is none and holds no row.');
  }
}

function whatIs(head: Buffer, known: typeof others): string | undefined {
  const text = head.toString('latin1');
  const found = known.find(([, begins]) => begins.test(text))?.[0];
  // A row of another kind may have come before others, and is for the quarantine.
  return (found === 'HTML' || found === 'an XML document') && /^\s*\{/m.test(text) ? undefined : found;
}

/** Of a file without gzip that ends in a line that is no JSON. What may be data of a row is not shown. */
export async function endsInRow(file: FileAt, format: string): Promise<Failure> {
  const head = await headOf(file.path);
  const begins = /["{]/.test(head.toString('latin1')) ? '' : `, and begins with ${firstBytes(head)}`;
  return unreadableFile(file.key, format, `it ends in the middle of a row${begins}.`);
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Of gzip that breaks off, as far as it comes. */
async function innerHead(path: string): Promise<Buffer> {
  const file = createReadStream(path, { end: 16 * headBytes });
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of file.pipe(gunzip) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= headBytes) break;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  return Buffer.concat(chunks).subarray(0, headBytes);
}

async function isBlank(path: string): Promise<boolean> {
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    if (/[^\s\0]/.test(chunk.toString('latin1').replace('\xef\xbb\xbf', ''))) return false;
  }
  return true;
}
