/** What files of JSON lines have in common, whatever a line holds. */

import { readFile } from 'node:fs/promises';

import { badLines, type LineFault } from './bad-lines.js';
import { literal } from './duckdb.js';
import { isGzip, type FileAt } from './file-bytes.js';
import { endsInRow } from './other-format.js';
import type { Piece } from './pieces.js';
import type { FileConstants } from './projection.js';

/** Table expression with the lines of a piece, in their order, as `json`; that of a line that is no JSON is null. */
export function objectsOf(piece: Pick<Piece, 'path'>): string {
  return `read_ndjson_objects(${literal(piece.path)}, ignore_errors = true, compression = 'uncompressed')`;
}

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
      if (cutOff && !gzip) throw await endsInRow(file, 'JSON lines');
      yield row(constants);
    }
  }
}
