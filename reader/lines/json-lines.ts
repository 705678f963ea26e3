import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';

import { rowTextOfDuckDb, type FileRows } from '../../model/row-text.js';
import type { Table } from '../../vendors/table.js';
import { notJson, type LineFault } from '../bad-lines.js';
import { identifier, literal } from '../duckdb.js';
import { fileBytes, type FileAt } from '../file-bytes.js';
import { badRows, objectsOf } from '../json-pieces.js';
import { inParts, type Part } from './parts.js';
import { inPieces, oneAhead, type Piece } from '../pieces.js';
import { countLines, plainReader, type PlainReader } from './plain-rows.js';
import type { OfLine } from '../of-line.js';
import { project, type FileConstants, type Projection } from '../projection.js';
import { inForms, released, streamed } from '../row-source.js';

/**
 * The rows of a file of one JSON object a line, as it is or gzip. What plain-rows.ts does not take goes by way of files in
 * `folder`, of some 60 MB. `good` and `bad` throw `FileUnreadable` for gzip that is not whole, and `bad` for a file without
 * gzip that ends in the middle of a row. A line that has a key twice is a bad one; what DuckDB takes for JSON (NaN, a comma too many) is JSON.
 */
export function jsonLinesRows(
  connection: DuckDBConnection,
  table: Table,
  file: FileAt,
  constants: FileConstants,
  folder: string,
  signal: AbortSignal,
): FileRows {
  let parsed = 0;
  // By the line before them: the blocks that DuckDB has to read, and the pieces that have bad lines. Most files have none
  // or a few.
  const odd = new Set<number>();
  const piecesWithBad = new Set<number>();
  const parts = (read: PlainReader): AsyncGenerator<Part> =>
    inParts(fileBytes(file.path, file.key, 'JSON lines'), folder, signal, read);

  /**
   * Binary tuples, or the path of a file of CSV text. As of the pieces there are two such files: one is written while the
   * other is read. Through a pipe, which holds 64 kB, DuckDB and Postgres wait for one another: 2.8 s instead of 2.4 s
   * for 500,000 metrics without Postgres.
   */
  async function* goodRows(): AsyncGenerator<Buffer | string> {
    parsed = 0;
    odd.clear();
    piecesWithBad.clear();
    const read = plainReader(table, constants);
    const readOrNote: PlainReader = (lines, before) => {
      const plain = read(lines, before);
      if (!plain) odd.add(before);
      return plain;
    };
    let number = 0;
    for await (const part of oneAhead(parts(readOrNote))) {
      if ('count' in part) {
        parsed += part.count;
        yield part.rows;
        continue;
      }
      const path = join(folder, `rows-${number % 2}`);
      const { good } = projectPiece(table, part, constants);
      const { rowsChanged } = await connection.run(
        `copy (${good}) to ${literal(path)} (${rowTextOfDuckDb}, use_tmp_file false)`,
      );
      parsed += part.rows;
      if (rowsChanged < part.rows) piecesWithBad.add(part.before);
      number += 1;
      yield path;
    }
  }
  /** The same pieces again. */
  async function* pieces(): AsyncGenerator<Piece> {
    const again: PlainReader = (lines, before) =>
      odd.has(before) ? undefined : { rows: lines, count: countLines(lines) };
    for await (const part of parts(again)) if (!('count' in part)) yield part;
  }
  const faultsOf = async (piece: Piece): Promise<LineFault[]> => {
    if (!piecesWithBad.has(piece.before)) return [];
    const { faults } = projectPiece(table, piece, constants);
    const found = await connection.runAndReadAll(
      `select line::varchar, reason${constants.masks ? ', raw::varchar' : ''} from (${faults}) order by line`,
    );
    return found.getRows() as [string, string, (string | null)?][];
  };
  const landing = { name: table.name, columns: projectPiece(table, noPiece, constants).columns };
  return {
    tables: [landing],
    good: (consume) => {
      const rows = oneAhead(goodRows());
      return released(connection, file, rows, async () => {
        let taken = 0;
        for await (const { form, bytes } of inForms(rows)) {
          taken += await streamed(
            connection,
            file,
            () => bytes,
          )((source) => consume(source, { ...landing, form }));
        }
        return taken;
      });
    },
    bad: streamed(connection, file, () => badRows(file, pieces(), constants, faultsOf)),
    parsed: () => parsed,
  };
}

/** The number of a file's rows, and the names of the fields that its first 10,000 lines have. */
export async function describeJsonLines(
  connection: DuckDBConnection,
  file: FileAt,
  folder: string,
  signal: AbortSignal,
): Promise<{ rows: number; columns: readonly string[] }> {
  let rows = 0;
  let columns: readonly string[] = [];
  for await (const piece of inPieces(fileBytes(file.path, file.key, 'JSON lines'), folder, signal)) {
    rows += piece.rows;
    if (piece.before > 0) continue;
    const found = await connection.runAndReadAll(
      `select distinct unnest(json_keys(json)) from (from ${objectsOf(piece)} limit 10000) order by 1`,
    );
    columns = found.getRows().map(([name]) => String(name));
  }
  return { rows, columns };
}

const noPiece: Piece = { path: '', before: 0, rows: 0, blank: '', unended: false };

/**
 * Each line is parsed for what it is, for the table's columns, and for the names of its keys: 0.2, 0.35 and 0.4 s of
 * DuckDB's 1.9 s for 500,000 metrics. Only a line with more keys than columns have values may have others; taking
 * the known ones out of every line instead, by json_merge_patch, takes 0.5 s.
 */
function projectPiece(table: Table, piece: Piece, constants: FileConstants): Projection {
  const fields = table.columns.map(({ field, type }) => ({
    field,
    type: type === 'jsonb' ? 'JSON' : 'VARCHAR',
  }));
  const structure = JSON.stringify(Object.fromEntries(fields.map(({ field, type }) => [field, type])));
  const nothing = JSON.stringify(Object.fromEntries(fields.map(({ field }) => [field, null])));
  const present = fields.map(({ field }) => `(known.${identifier(field)} is not null)::integer`).join(' + ');
  const source = `(
    select line, json, known, keys, len(keys) > ${present} as has_more
    from (
      select ${piece.before} + row_number() over () as line, json, from_json(json, ${literal(structure)}) as known,
        json_keys(json) as keys
      from ${objectsOf(piece)}
    )
    where json is null or json::varchar <> ${literal(piece.blank)}
  )`;
  const ofLine: OfLine = {
    extra: `case when has_more then nullif(json_merge_patch(json, ${literal(nothing)})::varchar, '{}') end`,
    fault: `case
      when json is null then ${literal(notJson)}
      when not starts_with(json::varchar, '{') then 'the line is JSON, but no object'
      when has_more and len(list_distinct(keys)) < len(keys) then 'the line has a key twice'
    end`,
    object: 'json',
  };
  const columns = fields.map(({ field, type }) => ({
    name: field,
    type,
    from: `known.${identifier(field)}`,
  }));
  return project(table, columns, source, 'line', constants, ofLine);
}
