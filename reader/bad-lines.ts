import { isUtf8 } from 'node:buffer';

import { rowText } from '../model/row-text.js';
import { longestLine, type Piece } from './pieces.js';

/** What is kept of a line that is too long to be a row. */
export const keptOfLongLine = 1_000_000;

/**
 * A line that cannot be loaded, and why; lines count from 1 over the whole file. Where something is masked, also what is
 * kept of it; null for what cannot be taken apart.
 */
export type LineFault = readonly [line: string, reason: string, masked?: string | null];

export interface BadLine {
  /** The row of the quarantine, as text: load_id, file_id, line, reason, raw. */
  readonly row: (of: { readonly loadId: string; readonly fileId: string }) => string;
  /** It is the last of the file, has no line break, and is no JSON: an upload broke off here. */
  readonly cutOff: boolean;
}

export const notJson = 'the line is not JSON';

/** The lines of a piece that `faults`, in their order, speak of: as they stand in the file, or masked. */
export function* badLines(bytes: Buffer, piece: Piece, faults: readonly LineFault[]): Generator<BadLine> {
  let at = 0;
  let number = piece.before;
  for (const [line, reason, masked] of faults) {
    for (number += 1; number < Number(line); number += 1) at = bytes.indexOf(0x0a, at) + 1;
    const end = bytes.indexOf(0x0a, at);
    const text = bytes.subarray(at, end);
    at = end + 1;
    const shown = masked === undefined ? describe(text, reason) : describeMasked(text, reason, masked);
    yield {
      row: ({ loadId, fileId }) => rowText([loadId, fileId, line, ...shown]),
      cutOff: reason === notJson && piece.unended && at === bytes.length,
    };
  }
}

/** The same where something is masked. Of a line that cannot be taken apart its length is kept. */
function describeMasked(line: Buffer, reason: string, masked: string | null): [reason: string, raw: string] {
  if (line.length > longestLine) {
    return [`the line is longer than ${longestLine} bytes`, maskedBytes(longestLine, 'more than ')];
  }
  const what = !isUtf8(line)
    ? 'the line is not UTF-8'
    : line.includes(0)
      ? 'the line holds the character NUL'
      : reason;
  return [what, masked ?? maskedBytes(line.length)];
}

/** What is kept of a row that cannot be masked value by value. */
export function maskedBytes(count: number, more = ''): string {
  return `(masked: ${more}${count.toLocaleString('en')} bytes)`;
}

/** The reason in the words of someone who has seen the bytes, and the line as text that Postgres can hold. */
function describe(line: Buffer, reason: string): [reason: string, raw: string] {
  if (line.length > longestLine) {
    const [, start] = describe(line.subarray(0, keptOfLongLine), '');
    return [
      `the line is longer than ${longestLine} bytes, of which the first ${keptOfLongLine} are kept`,
      start,
    ];
  }
  const row = line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  const utf8 = isUtf8(row);
  if (utf8 && !row.includes(0)) return [reason, row.toString()];
  const what = utf8 ? 'the line holds the character NUL' : 'the line is not UTF-8';
  return [`${what}; backslashes and bytes that are no text are written as \\xHH`, escaped(row)];
}

/** Text in which `\xHH` stands for a byte that is no part of a UTF-8 character, for NUL, and for the backslash. */
export function escaped(bytes: Buffer): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length;) {
    const byte = bytes.readUInt8(at);
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    const isText = byte !== 0 && byte !== 0x5c && isUtf8(bytes.subarray(at, at + length));
    if (isText) {
      at += length;
      continue;
    }
    parts.push(bytes.toString('utf8', from, at), `\\x${byte.toString(16).padStart(2, '0')}`);
    at += 1;
    from = at;
  }
  parts.push(bytes.toString('utf8', from));
  return parts.join('');
}
