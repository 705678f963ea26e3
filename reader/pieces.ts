import { randomUUID } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Some of a file's lines, in a file of their own. */
export interface Piece {
  readonly path: string;
  /** Lines of the whole file before the first of these. */
  readonly before: number;
  /** Lines that are not blank. */
  readonly rows: number;
  /** JSON that stands where a blank line was, and nowhere else. */
  readonly blank: string;
  /** The file ended within the last of these lines, or its writer puts no line break behind the last. */
  readonly unended: boolean;
}

/**
 * DuckDB cannot be fed through a pipe: it keeps all that it has read from one, and a file of 285 MB goes beyond 256 MB of
 * memory. It can be given the file itself, and inflates it too, but it passes over blank lines, so that the numbers of
 * all that follow are lost. So the lines go by way of small files on the disk: one is read while the next is inflated.
 * DuckDB reads 8 and 32 MB at a time no faster than 16, and gzip by itself no faster than from pieces
 * (docs/decisions/0006-json-lines-in-pieces.md).
 */
const pieceBytes = 16e6;

/** Bounds what is said of a piece's bad lines, where lines are short. */
const pieceLines = 100_000;

/** Whether so many bytes and lines are a piece. */
export type Enough = (bytes: number, lines: number) => boolean;

const enoughLines: Enough = (bytes, lines) => bytes >= pieceBytes || lines >= pieceLines;

/** What DuckDB works on at a time. */
const vectorLines = 2_048;

/**
 * The same where lines are taken apart, which takes many times their length of memory for as many as DuckDB parses at a
 * time: where they are long, a piece holds fewer, of `vectorBytes`.
 */
export function enoughInParts(vectorBytes: number): Enough {
  return (bytes, lines) => enoughLines(bytes, lines) || (bytes >= vectorBytes && lines < vectorLines);
}

/**
 * The longest line, in bytes, that is taken for a row: within DuckDB's own bound of 16 MiB. A line is held many times
 * over, as text, parsed and in parts. 256 MB of memory suffice for a text of 16 MB and for 4 MB of unknown fields, and
 * not for a million numbers in one line: then `worker.memoryLimit` has to be raised, as the error says.
 */
export const longestLine = 16_000_000;

/** How often it is asked whether a piece is large enough. Not at the end of a chunk: that depends on who reads when. */
const blockBytes = 256 * 1024;

/**
 * Cuts bytes into pieces below `folder`, the same each time. Two are there at a time: asking for the next but one writes
 * over a piece. Line breaks are `\n`; a byte order mark at the start is left out. A line that is too long is cut, and what
 * is left of it is no JSON. `from` tells what came before the bytes: lines of the file, and pieces of it, which may still
 * be in use.
 */
export async function* inPieces(
  bytes: AsyncIterable<Buffer>,
  folder: string,
  signal: AbortSignal,
  from: { readonly lines: number; readonly pieces: number } = { lines: 0, pieces: 0 },
  isEnough = enoughLines,
): AsyncGenerator<Piece> {
  const blank = `"${randomUUID()}"`;
  const paths = [join(folder, 'lines-0'), join(folder, 'lines-1')] as const;
  const scan = lineScan(blank, from.lines);
  let path: string = paths[from.pieces % 2 === 0 ? 0 : 1];
  let file: FileHandle | undefined;
  let before = from.lines;
  let size = 0;
  let offset = 0;
  let enough = false;

  const write = async (chunk: Buffer): Promise<void> => {
    file ??= await open(path, 'w');
    const lines = scan.take(chunk);
    size += lines.length;
    await file.writeFile(lines);
  };
  const finish = async (unended: boolean): Promise<Piece> => {
    await file?.close();
    file = undefined;
    const piece = { path, before, rows: scan.rows(), blank, unended };
    before = scan.lines();
    size = 0;
    enough = false;
    path = path === paths[0] ? paths[1] : paths[0];
    return piece;
  };

  try {
    for await (const chunk of from.lines === 0 ? withoutByteOrderMark(bytes) : bytes) {
      signal.throwIfAborted();
      for (let rest = chunk; rest.length > 0;) {
        const part = rest.subarray(0, blockBytes - (offset % blockBytes));
        rest = rest.subarray(part.length);
        offset += part.length;
        const end = enough ? part.indexOf(lineBreak) + 1 : 0;
        if (end > 0) {
          await write(part.subarray(0, end));
          yield await finish(false);
        }
        await write(part.subarray(end));
        if (offset % blockBytes === 0) enough = isEnough(size, scan.lines() - before);
      }
    }
    const unended = scan.within();
    if (unended) await write(Buffer.from('\n'));
    if (scan.lines() > before) yield await finish(unended);
  } finally {
    await file?.close();
  }
}

const lineBreak = 0x0a;
const notJson = Buffer.from('!');

/** Counts lines, marks the blank ones, and cuts those that are too long, over chunks that end anywhere. */
export function lineScan(blank: string, before: number) {
  const marker = Buffer.from(blank);
  let lines = before;
  let rows = 0;
  let length = 0;
  let onlySpace = true;

  const take = (chunk: Buffer): Buffer => {
    const taken: Buffer[] = [];
    let from = 0;
    let at = 0;
    for (;;) {
      const found = chunk.indexOf(lineBreak, at);
      const end = found < 0 ? chunk.length : found;
      onlySpace &&= isSpace(chunk, at, end);
      const room = Math.max(0, longestLine - length);
      length += end - at;
      if (end - at > room) {
        taken.push(chunk.subarray(from, at + room));
        from = end;
      }
      if (found < 0) break;
      if (onlySpace || length > longestLine) {
        taken.push(chunk.subarray(from, end), onlySpace ? marker : notJson);
        from = end;
      }
      lines += 1;
      if (!onlySpace) rows += 1;
      length = 0;
      onlySpace = true;
      at = end + 1;
    }
    if (taken.length === 0) return chunk;
    taken.push(chunk.subarray(from));
    return Buffer.concat(taken);
  };
  return {
    /** The bytes of a chunk as they are to be read. */
    take,
    /** Lines that have ended so far, with those before. */
    lines: () => lines,
    /** Those since this was last asked that are not blank. */
    rows: () => {
      const counted = rows;
      rows = 0;
      return counted;
    },
    /** Whether a line has begun that is not blank. */
    within: () => !onlySpace,
  };
}

/** What DuckDB skips: space, tab, line breaks, vertical tab and form feed. */
export function isSpace(chunk: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const byte = chunk.readUInt8(at);
    if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) return false;
  }
  return true;
}

const byteOrderMark = Buffer.from('\ufeff');

export async function* withoutByteOrderMark(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < byteOrderMark.length) continue;
    yield start.subarray(start.indexOf(byteOrderMark) === 0 ? byteOrderMark.length : 0);
    start = undefined;
  }
  if (start !== undefined && start.length > 0) yield start;
}

/** Works on the next item while the present one is being used. */
export async function* oneAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  const begin = (): Promise<IteratorResult<T>> => {
    const result = items.next();
    // Whoever comes to it is told; nobody may come.
    result.catch(() => undefined);
    return result;
  };
  let next = begin();
  try {
    for (;;) {
      const present = await next;
      if (present.done === true) return;
      next = begin();
      yield present.value;
    }
  } finally {
    await next.catch(() => undefined);
    await items.return(undefined);
  }
}
