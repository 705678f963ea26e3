import { randomUUID } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure, failureTypes } from '../../model/failure.js';
import { mayHaveLongNumber, numberOverlap } from './numbers.js';
import { fileBytes, isGzip, type FileAt } from '../file-bytes.js';
import { endsInRow } from '../other-format.js';
import { enoughInParts, lineScan, longestLine, withoutByteOrderMark, type Piece } from '../pieces.js';

/** A file of a group. */
export interface GroupFile extends FileAt {
  readonly id: string;
}

/** Lines of one file that follow one another in a piece. */
export interface Run {
  readonly file: GroupFile;
  /** Lines of the piece before the first of these. */
  readonly above: number;
  /** Lines of the file before the first of these. */
  readonly before: number;
  readonly lines: number;
  /** Lines that are not blank. */
  readonly rows: number;
  /** Where they begin in the piece, in bytes. */
  readonly offset: number;
}

/** Lines of some files, in a file of their own. All of them have ended. */
export interface GroupPiece extends Pick<Piece, 'path' | 'blank'> {
  readonly runs: readonly Run[];
  /** Whether some number may have more digits than DuckDB keeps. */
  readonly longNumbers: boolean;
}

const format = 'JSON lines';

/** JSON in parts takes up to 18 times its length: 10 MB of short entries 180 MB of memory. */
const isEnough = enoughInParts(6e6);

/**
 * Cuts the lines of files into pieces below `folder`, one file after the other, so that small files share a piece. Nothing
 * of a file is in a piece before the whole file has been seen to be readable: one that ends within its first piece is taken
 * back out of it if it is not, and a larger one is read through before that piece is given. `refuse` is told of each that
 * cannot be read. Two pieces are there at a time, and lines are cut and blank ones marked, as with `inPieces`.
 */
export async function* inGroupPieces(
  files: Iterable<GroupFile>,
  folder: string,
  signal: AbortSignal,
  refuse: (file: GroupFile, error: Failure) => void,
): AsyncGenerator<GroupPiece> {
  const blank = `"${randomUUID()}"`;
  let pieces = 0;
  let piece: PieceWriter | undefined;
  const finish = async (written: PieceWriter): Promise<GroupPiece> => {
    piece = undefined;
    pieces += 1;
    return { blank, ...(await written.finish()) };
  };
  const opened = async (): Promise<PieceWriter> =>
    (piece ??= await pieceWriter(join(folder, `lines-${pieces % 2}`)));

  try {
    for (const file of files) {
      signal.throwIfAborted();
      const scan = lineScan(blank, 0);
      let verified = false;
      (await opened()).begin(file, 0);
      try {
        if (await endsWithinRow(file)) throw await endsInRow(file, format);
        for await (const chunk of withoutByteOrderMark(fileBytes(file.path, file.key, format))) {
          signal.throwIfAborted();
          let rest = chunk;
          const full = piece;
          const end = full?.isFull(scan.lines()) === true ? rest.indexOf(lineBreak) + 1 : 0;
          if (full && end > 0) {
            await full.write(scan.take(rest.subarray(0, end)));
            rest = rest.subarray(end);
            if (!verified) await readThrough(file, signal);
            verified = true;
            full.end(scan.lines(), scan.rows());
            yield await finish(full);
            (await opened()).begin(file, scan.lines());
          }
          await (await opened()).write(scan.take(rest));
        }
        const last = await opened();
        if (scan.within()) await last.write(scan.take(Buffer.from('\n')));
        last.end(scan.lines(), scan.rows());
        if (last.isFull(scan.lines())) yield await finish(last);
      } catch (error) {
        // One that was seen to be whole has changed since.
        if (verified || !(error instanceof Failure) || error.type !== failureTypes.fileUnreadable)
          throw error;
        await piece?.takeBack();
        refuse(file, error);
      }
    }
    if (piece && !piece.isEmpty()) yield await finish(piece);
  } finally {
    await piece?.close();
  }
}

const lineBreak = 0x0a;

interface PieceWriter {
  /** Lines of another file follow, or of one that has had some in the piece before. */
  readonly begin: (file: GroupFile, before: number) => void;
  readonly write: (lines: Buffer) => Promise<void>;
  /** `lines` of the file have been written in all, `rows` of these here. */
  readonly end: (lines: number, rows: number) => void;
  /** Forgets what was written since `begin`. */
  readonly takeBack: () => Promise<void>;
  /** Whether no more is to follow, where `lines` of the present file have been written. */
  readonly isFull: (lines: number) => boolean;
  readonly isEmpty: () => boolean;
  readonly finish: () => Promise<Omit<GroupPiece, 'blank'>>;
  readonly close: () => Promise<void>;
}

async function pieceWriter(path: string): Promise<PieceWriter> {
  const handle: FileHandle = await open(path, 'w');
  const runs: Run[] = [];
  let begun: Omit<Run, 'lines' | 'rows'> | undefined;
  let [size, above] = [0, 0];
  let tail = Buffer.alloc(0);
  let longNumbers = false;
  return {
    begin: (file, before) => (begun = { file, above, before, offset: size }),
    write: async (lines) => {
      for (let done = 0; done < lines.length;) {
        const { bytesWritten } = await handle.write(lines, done, lines.length - done, size + done);
        done += bytesWritten;
      }
      size += lines.length;
      if (longNumbers) return;
      longNumbers = mayHaveLongNumber(Buffer.concat([tail, lines]));
      tail = Buffer.from(lines.subarray(-numberOverlap));
    },
    end: (lines, rows) => {
      if (begun && lines > begun.before) {
        runs.push({ ...begun, lines: lines - begun.before, rows });
        above += lines - begun.before;
      }
      begun = undefined;
    },
    takeBack: async () => {
      size = begun?.offset ?? size;
      begun = undefined;
      await handle.truncate(size);
    },
    isFull: (lines) => {
      return isEnough(size, above + lines - (begun?.before ?? lines));
    },
    isEmpty: () => runs.length === 0,
    finish: async () => {
      await handle.close();
      return { path, runs, longNumbers };
    },
    close: () => handle.close(),
  };
}

/** Throws `FileUnreadable` for gzip that is not whole. */
async function readThrough({ path, key }: GroupFile, signal: AbortSignal): Promise<void> {
  for await (const chunk of fileBytes(path, key, format)) if (chunk.length > 0) signal.throwIfAborted();
}

/** Whether a file without gzip ends in a line that has no line break and is no JSON: an upload broke off here. */
async function endsWithinRow({ path }: GroupFile): Promise<boolean> {
  if (await isGzip(path)) return false;
  const { size } = await stat(path);
  const handle = await open(path);
  try {
    for (const length of [64 * 1024, longestLine + 1]) {
      const from = Math.max(0, size - length);
      const buffer = Buffer.alloc(size - from);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
      const bytes = buffer.subarray(0, bytesRead);
      const lineStart = bytes.lastIndexOf(lineBreak) + 1;
      if (lineStart > 0 || from === 0)
        return !isJson(
          bytes
            .subarray(lineStart)
            .toString()
            .replace(/^\ufeff/, ''),
        );
    }
    return true;
  } finally {
    await handle.close();
  }
}

/** Blank counts. So do the words that DuckDB takes for numbers, which JSON does not have. */
function isJson(text: string): boolean {
  if (text.trim() === '') return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
