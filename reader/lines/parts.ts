/** A file's lines in the order of the file: those that are read at once, and pieces for DuckDB where they are not. */

import { inPieces, type Piece } from '../pieces.js';
import { countLines, type PlainReader, type PlainRows } from './plain-rows.js';

/** Lines that are read at once: a few milliseconds of work, and 1.5 MB of rows. */
const blockBytes = 1024 * 1024;

/**
 * Lines that DuckDB reads where a block cannot be read at once: with the ones that follow, as where one line is odd
 * others are, and a piece takes DuckDB some 10 ms however short it is.
 */
const pieceBytes = 15e6;

export type Part = PlainRows | Piece;

/**
 * Where blocks are cut depends on nothing but the bytes, so that what `read` said of one, by the number of lines before
 * it, holds when the file is cut again. Two pieces are there at a time, as with `inPieces`.
 */
export async function* inParts(
  bytes: AsyncIterable<Buffer>,
  folder: string,
  signal: AbortSignal,
  read: PlainReader,
): AsyncGenerator<Part> {
  const blocks = inBlocks(bytes);
  let before = 0;
  let pieces = 0;

  /** A block and those after it, up to the end of a line. */
  async function* piece(first: Block): AsyncGenerator<Buffer> {
    let size = 0;
    for (let block: Block | undefined = first; block;) {
      size += block.lines.length;
      yield block.lines;
      before += countLines(block.lines);
      if (block.whole && size >= pieceBytes) return;
      const next: IteratorResult<Block> = await blocks.next();
      block = next.done === true ? undefined : next.value;
    }
  }
  try {
    for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) {
      signal.throwIfAborted();
      const plain = next.value.whole ? read(next.value.lines, before) : undefined;
      if (plain) {
        before += plain.count;
        yield plain;
        continue;
      }
      const from = { lines: before, pieces };
      for await (const cut of inPieces(piece(next.value), folder, signal, from)) {
        pieces += 1;
        yield cut;
      }
    }
  } finally {
    await blocks.return(undefined);
  }
}

interface Block {
  /** Until the next one is asked for. */
  readonly lines: Buffer;
  /** It ends where a line ends. */
  readonly whole: boolean;
}

const lineFeed = 0x0a;

async function* inBlocks(bytes: AsyncIterable<Buffer>): AsyncGenerator<Block> {
  const block = Buffer.allocUnsafe(blockBytes);
  let size = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length;) {
      const taken = chunk.copy(block, size, at);
      at += taken;
      size += taken;
      if (size < blockBytes) continue;
      const end = block.lastIndexOf(lineFeed) + 1;
      yield { lines: block.subarray(0, end || size), whole: end > 0 };
      if (end > 0) block.copyWithin(0, end, size);
      size = end > 0 ? size - end : 0;
    }
  }
  if (size > 0) yield { lines: block.subarray(0, size), whole: block[size - 1] === lineFeed };
}
