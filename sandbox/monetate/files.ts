/** Files as Monetate writes them: a session a line, gzip, under names that tell when the sessions ended. */

import { gzip } from 'node:zlib';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { dayOf } from '../../model/day.js';
import { dayFolder, streamFolder } from '../../vendors/monetate/layout.js';
import { sessionLine, type Session } from './session.js';
import { account } from './visitors.js';

/** Where the files of the made-up account lie on the server: what a source's `store.root` has to be. */
export const storeRoot = `${account}/${streamFolder}`;

/** Milliseconds: "this is always 15 minutes". */
export const quarter = 15 * 60_000;

export interface MonetateFile {
  /** Below the store's root. */
  readonly key: string;
  /** The day of its folder. */
  readonly date: string;
  /** Epoch ms: when the interval begins in which its sessions ended. */
  readonly interval: number;
  /** When the vendor writes it, in epoch milliseconds. */
  readonly at: number;
  /** All that can be loaded. */
  readonly sessions: readonly Session[];
  /** Lines that hold something, and no session that can be loaded. Default none. */
  readonly badLines?: readonly string[];
}

/** The beginning of the interval that an instant lies in. Both in epoch milliseconds. */
export function intervalOf(instant: number): number {
  return instant - (instant % quarter);
}

/** @param unique what tells files of an interval apart: letters, digits, `_` and `-` */
export function fileKey(interval: number, unique: string): string {
  const name = new Date(interval).toISOString().replaceAll(/[-:]/g, '');
  return `${dayFolder(dayOf(interval))}${name}_PT15M-${unique}.json.gz`;
}

/** Bad lines stand between the good ones. */
export function fileLines({ sessions, badLines = [] }: MonetateFile): readonly string[] {
  const lines = sessions.map(sessionLine);
  const apart = Math.ceil(lines.length / (badLines.length + 1));
  for (const [index, line] of badLines.entries()) lines.splice((index + 1) * apart + index, 0, line);
  return lines;
}

const compress = promisify(gzip);

/** The bytes of a file of these lines. Zlib works beside: 34 MB take 0.4 s of it, and less than half with `level` 1. */
export function gzipLines(lines: readonly string[], level = 6): Promise<Buffer> {
  return compress(lines.map((line) => `${line}\n`).join(''), { level });
}

/** Writes a file whole, as if it had been done at that instant (epoch milliseconds). */
export async function putFile(path: string, bytes: Uint8Array, at: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  await utimes(path, at / 1_000, at / 1_000);
}

/**
 * Writes files of the past, each with the time at which the vendor wrote it. Of those with the same key the last one stays.
 *
 * @param directory what the SFTP server serves
 */
export async function writeFiles(
  directory: string,
  files: readonly MonetateFile[],
): Promise<readonly WrittenFile[]> {
  const written: WrittenFile[] = [];
  for (const file of files) {
    const bytes = await gzipLines(fileLines(file));
    await putFile(join(directory, storeRoot, file.key), bytes, file.at);
    written.push(writtenFile(file, bytes.length));
  }
  return written;
}

/** A file that is whole. */
export interface WrittenFile {
  readonly key: string;
  readonly date: string;
  readonly sessions: number;
  readonly quarantined: number;
  /** Of the file. */
  readonly bytes: number;
}

export function writtenFile(
  { key, date, sessions, badLines = [] }: MonetateFile,
  bytes: number,
): WrittenFile {
  return { key, date, sessions: sessions.length, quarantined: badLines.length, bytes };
}
