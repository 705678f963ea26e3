import { isUtf8 } from 'node:buffer';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { nextRecord, type CsvRecord } from './records.js';
import { withoutByteOrderMark } from '../pieces.js';

/** Some of a file's records. */
export interface CsvPiece {
  /** A file of those that are written as they should be, each after its line and a comma. */
  readonly path: string;
  /** Its length, and how many records it holds. */
  readonly size: number;
  readonly whole: number;
  /** What is wrong with the others, by line. */
  readonly faults: ReadonlyMap<number, string>;
  /** All of them, with their line, as they stand in the vendor's file. They are looked for anew. */
  readonly records: () => Generator<readonly [line: number, text: Buffer]>;
}

/** What is to be done about what a file holds beside its rows. */
export interface CsvReader {
  /** Called once, with the header, or with what is wrong with it. Throws, or returns how many fields records have. */
  readonly header: (text: Buffer, fault: string | undefined) => number;
  /** Called where the file ends in the middle of a record. Throws, or the record is a bad row. */
  readonly cutOff: () => void;
}

/** Held in memory; 2, 8 and 16 MB took as long for 1,000,000 rows of 108 MB. */
const blockBytes = 4e6;

/** Bounds what is said of a piece's bad rows, where rows are short. */
const pieceRows = 100_000;

/**
 * Cuts a CSV file into pieces below `folder`, the same each time. Two are there at a time: asking for the next but one
 * writes over a piece. A byte order mark at the start and blank lines are left out.
 */
export async function* csvPieces(
  bytes: AsyncIterable<Buffer>,
  reader: CsvReader,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<CsvPiece> {
  const cutter = csvCutter(reader);
  let turn = 0;
  for await (const { chunks, final } of inBlocks(withoutByteOrderMark(bytes))) {
    signal.throwIfAborted();
    cutter.give(Buffer.concat([cutter.rest(), ...chunks]), final);
    for (let cut = cutter.cut(); cut !== undefined; cut = cutter.cut()) {
      const { text, whole, faults, records } = cut;
      const path = join(folder, `records-${turn % 2}`);
      await writeFile(path, text);
      turn += 1;
      yield { path, size: text.length, whole, faults, records };
    }
  }
}

/** Bytes in parts of one length, however they arrive: inflated ones come in chunks that depend on who reads when. */
async function* inBlocks(
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly chunks: readonly Buffer[]; readonly final: boolean }> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    for (let rest = chunk; rest.length > 0;) {
      const part = rest.subarray(0, blockBytes - size);
      rest = rest.subarray(part.length);
      chunks.push(part);
      size += part.length;
      if (size < blockBytes) continue;
      yield { chunks, final: false };
      [chunks, size] = [[], 0];
    }
  }
  yield { chunks, final: true };
}

type Cut = Omit<CsvPiece, 'path' | 'size'> & { readonly text: Buffer };

/** Takes blocks of a file, each beginning with what was left of the one before, and cuts their records out. */
function csvCutter(reader: CsvReader) {
  let block: Block = { bytes: Buffer.alloc(0), final: false };
  let place: Place = { at: 0, line: 1 };
  let isText = true;
  /** A line that was too long has not ended yet. */
  let goesOn = false;
  let width: number | undefined;

  /** Records from here on, which is moved along. */
  function* records(): Generator<readonly [line: number, record: CsvRecord]> {
    for (const numbered of recordsFrom(block, place, width)) {
      const [line, record] = numbered;
      place = { at: record.next, line: line + record.lines };
      ({ goesOn } = record);
      if (record.cutOff) reader.cutOff();
      if (!record.blank) yield numbered;
    }
  }
  const readHeader = (): void => {
    for (const [, { start, end, fault }] of records()) {
      width = reader.header(block.bytes.subarray(start, end), fault);
      return;
    }
  };
  return {
    rest: () => block.bytes.subarray(place.at),

    give: (bytes: Buffer, final: boolean) => {
      block = { bytes, final };
      isText = isUtf8(bytes) && !bytes.includes(0);
      const lineEnd = goesOn ? bytes.indexOf(lineFeed) : -1;
      if (!goesOn) place = { at: 0, line: place.line };
      else if (lineEnd < 0) place = { at: bytes.length, line: place.line };
      else place = { at: lineEnd + 1, line: place.line + 1 };
      goesOn &&= lineEnd < 0;
    },

    /** Undefined where the block has no more of them. */
    cut: (): Cut | undefined => {
      if (width === undefined) readHeader();
      if (width === undefined) return undefined;
      const [of, from, fields] = [block, place, width];
      const text = textBuilder(of.bytes.length - from.at);
      const faults = new Map<number, string>();
      let whole = 0;
      for (const [line, { start, end, fault }] of records()) {
        const wrong = fault ?? (isText ? undefined : notText(of.bytes.subarray(start, end)));
        if (wrong === undefined) {
          text.add(line, of.bytes, start, end);
          whole += 1;
        } else faults.set(line, wrong);
        if (whole + faults.size === pieceRows) break;
      }
      if (whole + faults.size === 0) return undefined;
      const to = place.at;
      return {
        ...{ text: text.done(), whole, faults },
        *records() {
          for (const [line, { start, end, blank }] of recordsFrom(of, from, fields)) {
            if (start >= to) return;
            if (!blank) yield [line, of.bytes.subarray(start, end)];
          }
        },
      };
    },
  };
}

interface Block {
  readonly bytes: Buffer;
  /** The file ends with it. */
  readonly final: boolean;
}

interface Place {
  readonly at: number;
  readonly line: number;
}

function* recordsFrom(
  { bytes, final }: Block,
  { at, line }: Place,
  width: number | undefined,
): Generator<readonly [line: number, record: CsvRecord]> {
  let record = nextRecord(bytes, at, final, width);
  while (record !== undefined) {
    yield [line, record];
    line += record.lines;
    record = nextRecord(bytes, record.next, final, width);
  }
}

function notText(record: Buffer): string | undefined {
  if (!isUtf8(record)) return 'the row is not UTF-8';
  return record.includes(0) ? 'the row holds the character NUL' : undefined;
}

/** Puts records together, which takes less time than a list of them. */
function textBuilder(expected: number) {
  let text = Buffer.allocUnsafe(Math.ceil(expected * 1.2) + 1_000);
  let size = 0;
  return {
    add: (line: number, bytes: Buffer, start: number, end: number): void => {
      const needed = size + (end - start) + 20;
      if (needed > text.length) text = Buffer.concat([text.subarray(0, size)], Math.ceil(needed * 1.5));
      size += text.write(`${line},`, size, 'latin1');
      size += bytes.copy(text, size, start, end);
      text[size] = lineFeed;
      size += 1;
    },
    done: () => text.subarray(0, size),
  };
}

const lineFeed = 0x0a;
