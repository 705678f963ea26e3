/** What files of JSON lines have in common, whatever a line holds. */

import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';

import type { DuckDBConnection } from '@duckdb/node-api';

import type { RowSource } from '../model/row-text.js';
import { badLines } from './bad-lines.js';
import { literal } from './duckdb.js';
import { isGzip } from './file-bytes.js';
import type { Piece } from './pieces.js';
import type { FileConstants } from './projection.js';
import { tooLittleMemory, unreadableFile } from './unreadable.js';

export interface FileAt {
  readonly path: string;
  /** What the file is called in messages. */
  readonly key: string;
}

/** Table expression with the lines of a piece, in their order, as `json`; that of a line that is no JSON is null. */
export function objectsOf(piece: Piece): string {
  return `read_ndjson_objects(${literal(piece.path)}, ignore_errors = true, compression = 'uncompressed')`;
}

/** A line that cannot be loaded, and why; lines count from 1 over the whole file. */
export type LineFault = readonly [line: string, reason: string];

/**
 * The rows of the quarantine, as text, of the pieces that have some; `faultsOf` tells those of a piece in their order.
 * Throws `FileUnreadable` for a plain file that ends in the middle of a row.
 */
export async function* badRows(
  file: FileAt,
  pieces: AsyncIterable<Piece>,
  constants: FileConstants,
  faultsOf: (piece: Piece) => Promise<readonly LineFault[]>,
): AsyncGenerator<string> {
  const gzip = await isGzip(file.path);
  for await (const piece of pieces) {
    const faults = await faultsOf(piece);
    if (faults.length === 0) continue;
    for (const { row, cutOff } of badLines(await readFile(piece.path), piece, faults)) {
      if (cutOff && !gzip) throw unreadableFile(file.key, 'JSON lines', 'it ends in the middle of a row.');
      yield row(constants);
    }
  }
}

/** Lets `work` use what a generator of ours yields. No query runs, and no file is open, when this returns or throws. */
export async function released<T>(
  connection: DuckDBConnection,
  file: FileAt,
  rows: AsyncGenerator,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    connection.interrupt();
    throw (error instanceof Error ? tooLittleMemory(error, file.key) : undefined) ?? error;
  } finally {
    // A query may still run where the consumer failed. Files are closed, and the connection is free, after this.
    await rows.return(undefined);
  }
}

/** Rows' text as a stream, from the start each time it is asked for. */
export function streamed(
  connection: DuckDBConnection,
  file: FileAt,
  rowsOf: () => AsyncGenerator<Buffer | string>,
): RowSource {
  return (consume) => {
    const rows = rowsOf();
    const source = Readable.from(rows, { objectMode: false });
    return released(connection, file, rows, async () => {
      try {
        return await consume(source);
      } finally {
        source.destroy();
      }
    });
  };
}
