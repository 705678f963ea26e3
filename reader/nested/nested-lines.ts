import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import type { DuckDBConnection } from '@duckdb/node-api';

import type { LineFault } from '../bad-lines.js';
import { rowTextOfDuckDb, type FileRows, type FileTable } from '../../model/row-text.js';
import type { RootTable } from '../../vendors/table.js';
import { literal } from '../duckdb.js';
import { fileBytes, type FileAt } from '../file-bytes.js';
import { badRows } from '../json-pieces.js';
import { levelsOf, linesOf } from './levels.js';
import { maskLine } from '../masks/rows.js';
import type { Masks } from '../masks/masks.js';
import { enoughInParts, inPieces, oneAhead, type Enough, type Piece } from '../pieces.js';
import type { FileConstants } from '../projection.js';
import { released, streamed } from '../row-source.js';

const settings = [
  // Rows are numbered in the order of the file.
  'set preserve_insertion_order = true',
  // What a query leaves is given back to the system, rather than kept beside what the next one takes: at most 350 MB
  // resident instead of 530 for 40,000 sessions of the bench, and 5.5 s of processor time instead of 4.7.
  "set allocator_bulk_deallocation_flush_threshold = '16MB'",
];

/**
 * 16 MB of sessions of 8 kB in tables with few columns take 300 MB where they are one piece; 8 MB take 192 MB. With shorter
 * lines, of which DuckDB parses less at a time, 16 MB take 208 MB.
 */
const isEnough = enoughInParts(8e6);

/**
 * Each column of a table takes memory of its own, for each row of a piece. Of Dynatrace's, 157 in all, sessions of any kind,
 * with 60 actions of all fields or 50 of one, with and without unknown keys, take 192 MB at most in such pieces, and up to
 * 384 MB in those of the others.
 */
const manyColumns = 100;
const isEnoughOfMany: Enough = (bytes, lines) => bytes >= 4e6 || lines >= 10_000;

/** Rows of a table as text in a file. */
interface RowsFile {
  readonly table: FileTable;
  readonly path: string;
}

/**
 * The rows of a file whose lines are rows of a table, with those of others within them. A line is bad as a whole: nothing
 * of it is among the good rows of any table. That goes for a key that is there twice in an object that is a row or a map;
 * what is kept as JSON is taken as Postgres takes it. Otherwise as `jsonLinesRows`.
 *
 * The rows of a piece are kept in tables of DuckDB's until it is known of all levels which lines are good. 200,000
 * sessions of Leanplum's, 662 MB with 8,800,000 rows, take 28 s of a core (310,000 rows/s) where COPY, at the same time,
 * takes 11.5 s of another without keys; at most 419 MB are resident, with 256 MB for DuckDB and one thread
 * (`node --import tsx bench/nested.ts`). For 5,000 of them, 17 MB, in seconds of processor time:
 *
 * - levels in tables 0.63
 * - levels in views, so that each use unfolds the lines anew 3.1
 * - levels in tables, numbered by sorting rather than in a stream 0.78
 *
 * Parsing a whole line at once, into structs, takes 0.19 where parsing level by level takes 0.17, and tells nothing of
 * keys that are unknown or there twice. A line of 10 MB with 90,000 events can be read in these 256 MB; of 250,000 short
 * ones the error says what to raise.
 */
export function nestedLinesRows(
  connection: DuckDBConnection,
  root: RootTable,
  file: FileAt,
  constants: FileConstants,
  folder: string,
  signal: AbortSignal,
): FileRows {
  const { masks } = constants;
  const levels = levelsOf(root, masks).map((level) => ({
    ...level,
    landing: { name: level.table.name, columns: level.columns },
    values: level.values(constants).join(', '),
  }));
  let parsed = 0;
  // By the line before it, as in jsonLinesRows.
  const piecesWithBad = new Set<number>();
  const columns = levels.reduce((sum, { table }) => sum + table.columns.length, 0);
  const enough = columns > manyColumns ? isEnoughOfMany : isEnough;
  const pieces = (): AsyncGenerator<Piece> =>
    inPieces(fileBytes(file.path, file.key, 'JSON lines'), folder, signal, undefined, enough);

  const unfold = async (piece: Piece): Promise<void> => {
    for (const setting of settings) await connection.run(setting);
    for (const { name, query } of levels) {
      signal.throwIfAborted();
      await connection.run(`create or replace temp table ${name} as ${query(piece)}`);
    }
  };
  const drop = async (): Promise<void> => {
    for (const { name } of levels) await connection.run(`drop table ${name}`);
  };
  /** Null for what is no object, or has a key twice. */
  const maskedLine = (known: Masks): string => `case when starts_with(object::varchar, '{')
    and not ends_with(fault, ' has a key twice') then ${maskLine(known, root, 'object')} end`;
  const faults = levels
    .map(
      ({ name }, level) =>
        `select line, fault, ${level} as level, rowid from ${name} where fault is not null`,
    )
    .join('\n  union all ');

  async function* goodRows(): AsyncGenerator<readonly RowsFile[]> {
    parsed = 0;
    piecesWithBad.clear();
    let number = 0;
    for await (const piece of oneAhead(pieces())) {
      await unfold(piece);
      const counted = await connection.runAndReadAll(
        `create or replace temp table bad_line as select distinct line from (${faults})`,
      );
      const anyBad = counted.getRows()[0]?.[0] !== 0n;
      if (anyBad) piecesWithBad.add(piece.before);
      const onlyGood = anyBad ? 'anti join bad_line using (line)' : '';
      const files: RowsFile[] = [];
      for (const [index, { landing, name, values }] of levels.entries()) {
        signal.throwIfAborted();
        const path = join(folder, `rows-${number % 2}-${index}`);
        const { rowsChanged } = await connection.run(
          `copy (select ${values} from ${name} ${onlyGood}) to ${literal(path)} (${rowTextOfDuckDb}, use_tmp_file false)`,
        );
        if (rowsChanged > 0) files.push({ table: landing, path });
      }
      await drop();
      parsed += piece.rows;
      number += 1;
      yield files;
    }
  }
  const faultsOf = async (piece: Piece): Promise<LineFault[]> => {
    if (!piecesWithBad.has(piece.before)) return [];
    await unfold(piece);
    const firsts = `select line, first(fault order by level, rowid) as fault from (${faults}) group by line`;
    const found = await connection.runAndReadAll(
      masks
        ? `select line::varchar, fault, ${maskedLine(masks)} from (${firsts}) join (${linesOf(piece)}) using (line) order by line`
        : `select line::varchar, fault from (${firsts}) order by line`,
    );
    await drop();
    return found.getRows() as [string, string, (string | null)?][];
  };
  const [first, ...others] = levels.map(({ landing }) => landing);
  if (first === undefined) throw new RangeError(`${root.name} has no table`);
  return {
    tables: [first, ...others],
    good: (consume) => {
      const steps = oneAhead(goodRows());
      return released(connection, file, steps, async () => {
        let taken = 0;
        for (;;) {
          const step = await steps.next();
          if (step.done === true) return taken;
          for (const { table, path } of step.value) {
            const count = await withText(path, (rows) => consume(rows, table));
            if (table === first) taken += count;
          }
        }
      });
    },
    bad: streamed(connection, file, () => badRows(file, pieces(), constants, faultsOf)),
    parsed: () => parsed,
  };
}

/** Lets `use` read a file of rows, which is closed when this returns or throws. */
export async function withText(path: string, use: (rows: Readable) => Promise<number>): Promise<number> {
  const rows = createReadStream(path, { highWaterMark: 256 * 1024 });
  // Whoever reads the rows is told; nobody may be reading.
  rows.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => rows.once('close', () => resolve()));
  try {
    return await use(rows);
  } finally {
    rows.destroy();
    await closed;
  }
}
