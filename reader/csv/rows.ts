import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';

import { rowText, rowTextOfDuckDb, type FileRows } from '../../model/row-text.js';
import type { FileShape, Table } from '../../vendors/table.js';
import { escaped, keptOfLongLine, maskedBytes } from '../bad-lines.js';
import { headerNames, matchHeader, type KnownHeader } from './header.js';
import { csvPieces, type CsvPiece } from './pieces.js';
import { literal } from '../duckdb.js';
import { fileBytes, isGzip, type FileAt } from '../file-bytes.js';
import { longestLine, oneAhead } from '../pieces.js';
import type { OfLine } from '../of-line.js';
import { project, type FileConstants, type Projection } from '../projection.js';
import { streamed, textOf } from '../row-source.js';
import { unreadableFile } from '../unreadable.js';

type CsvShape = Extract<FileShape, { format: 'csv' }>;

/**
 * The rows of a CSV file with a header, plain or gzip, by RFC 4180. They go by way of files in `folder`, of some 5 MB.
 * An empty field is null, and so is an empty one in quotes where the column holds no text. `good` and `bad` throw
 * `FileUnreadable` for a header without a column that every row needs, for gzip that is not whole, and for a plain file
 * that ends in the middle of a row.
 */
export function csvRows(
  connection: DuckDBConnection,
  shape: CsvShape,
  file: FileAt,
  constants: FileConstants,
  folder: string,
  signal: AbortSignal,
): FileRows {
  let parsed = 0;
  // By number. Most files have no bad row or a few: the pieces that have none are passed over.
  const piecesWithBad = new Set<number>();
  let header = noHeader;
  const pieces = (): AsyncGenerator<CsvPiece> =>
    readPieces(file, folder, signal, (names) => {
      header = { ...matchHeader(names, shape.file, file.key), width: names.length };
    });

  async function* goodRows(): AsyncGenerator<string> {
    parsed = 0;
    piecesWithBad.clear();
    let number = 0;
    for await (const piece of oneAhead(pieces())) {
      const path = join(folder, `rows-${number % 2}`);
      const { good } = projectPiece(shape, header, piece, constants);
      const { rowsChanged } = await connection.run(
        `copy (${good}) to ${literal(path)} (${rowTextOfDuckDb}, use_tmp_file false)`,
      );
      const rows = piece.whole + piece.faults.size;
      parsed += rows;
      if (rowsChanged < rows) piecesWithBad.add(number);
      number += 1;
      yield path;
    }
  }
  async function* badRows(): AsyncGenerator<string> {
    let number = 0;
    for await (const piece of pieces()) {
      if (piecesWithBad.has(number++)) yield* badRowsOf(piece);
    }
  }
  async function* badRowsOf(piece: CsvPiece): AsyncGenerator<string> {
    const { faults } = projectPiece(shape, header, piece, constants);
    const masked = constants.masks ? ', raw::varchar' : '';
    const found = await connection.runAndReadAll(`select line::double, reason${masked} from (${faults})`);
    const typed = found.getRows() as [line: number, reason: string, masked?: string][];
    const reasons = new Map([...piece.faults, ...typed.map(([line, reason]) => [line, reason] as const)]);
    const raws = new Map(typed.map(([line, , raw]) => [line, raw]));
    for (const [line, text] of piece.records()) {
      const reason = reasons.get(line);
      if (reason === undefined) continue;
      const row = constants.masks ? keptMasked(text, reason, raws.get(line)) : kept(text, reason);
      yield rowText([constants.loadId, constants.fileId, String(line), ...row]);
    }
  }
  const landing = {
    name: shape.file.table,
    columns: projectPiece(shape, noHeader, noPiece, constants).columns,
  };
  return {
    tables: [landing],
    good: (consume) => streamed(connection, file, () => textOf(goodRows()))((rows) => consume(rows, landing)),
    bad: streamed(connection, file, badRows),
    parsed: () => parsed,
  };
}

/** The reason, and the row as text that Postgres can hold. */
function kept(row: Buffer, reason: string): [reason: string, raw: string] {
  const start = row.length > longestLine ? row.subarray(0, keptOfLongLine) : row;
  if (isUtf8(start) && !start.includes(0)) return [reason, start.toString()];
  return [`${reason}; backslashes and bytes that are no text are written as \\xHH`, escaped(start)];
}

/** The same where something is masked: of a record that has no columns its length is kept. */
function keptMasked(row: Buffer, reason: string, masked: string | undefined): [reason: string, raw: string] {
  if (row.length <= longestLine) return [reason, masked ?? maskedBytes(row.length)];
  return [`the line is longer than ${longestLine} bytes`, maskedBytes(longestLine, 'more than ')];
}

/** The number of a file's rows, and the names in its header. */
export async function describeCsv(
  file: FileAt,
  folder: string,
  signal: AbortSignal,
): Promise<{ rows: number; columns: readonly string[] }> {
  let rows = 0;
  let columns: readonly string[] = [];
  const header = (names: readonly string[]): void => {
    columns = names;
  };
  for await (const { whole, faults } of readPieces(file, folder, signal, header)) rows += whole + faults.size;
  return { rows, columns };
}

async function* readPieces(
  { path, key }: FileAt,
  folder: string,
  signal: AbortSignal,
  header: (names: readonly string[]) => void,
): AsyncGenerator<CsvPiece> {
  const gzip = await isGzip(path);
  const reader = {
    header: (text: Buffer, fault: string | undefined): number => {
      if (fault !== undefined) throw unreadableFile(key, 'CSV', `its header is faulty: ${fault}.`);
      const names = headerNames(text, key);
      header(names);
      return names.length;
    },
    // Of gzip it is known that it is whole.
    cutOff: (): void => {
      if (!gzip) throw unreadableFile(key, 'CSV', 'it ends in the middle of a row.');
    },
  };
  let rows = 0;
  for await (const piece of csvPieces(fileBytes(path, key, 'CSV'), reader, folder, signal)) {
    rows += piece.whole + piece.faults.size;
    yield piece;
  }
  if (rows === 0 && !gzip && /\.gz$/i.test(key)) {
    throw unreadableFile(key, 'CSV', 'its name says gzip, and it is none and holds no row.');
  }
}

interface Header extends KnownHeader {
  readonly width: number;
}

const noHeader: Header = { known: new Map(), unknown: [], width: 0 };
const noPiece = { path: '', size: 0 };

/** What DuckDB splits has been looked at byte by byte: it meets no record but those that are written as they should be. */
function projectPiece(
  { file, columns }: CsvShape,
  { known, unknown, width }: Header,
  piece: Pick<CsvPiece, 'path' | 'size'>,
  constants: FileConstants,
): Projection {
  const fields = Array.from({ length: width }, (_, number) => `'c${number}': 'varchar'`);
  const source = `read_csv(${literal(piece.path)}, columns = {${['line: bigint', ...fields].join(', ')}},
    auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\\n',
    nullstr = '', allow_quoted_nulls = false, compression = 'none', parallel = false,
    max_line_size = ${piece.size + 1}, buffer_size = ${piece.size + 1})`;
  const table: Table = {
    ...{ name: file.table, key: '_line', ofFile: [], ...(file.pairs ? { pairs: file.pairs } : {}) },
    columns: columns.map((column) => ({ ...column, field: file.headers[column.name] ?? column.field })),
  };
  const present = table.columns.flatMap(({ name, field, type }) => {
    const number = known.get(name);
    if (number === undefined) return [];
    const from = type === 'text' ? `c${number}` : `nullif(c${number}, '')`;
    return [{ name: field, type: 'VARCHAR', from, required: file.required.includes(name) }];
  });
  const absent = present
    .filter(({ required }) => required)
    .map(({ name, from }) => `when ${from} is null then ${literal(`${name} is missing`)}`);
  const others = unknown.map(([name, number]) => `${literal(name)}: nullif(c${number}, '')`);
  const ofLine: OfLine = {
    // Merging leaves out what is null.
    extra:
      others.length === 0
        ? 'null::varchar'
        : `nullif(json_merge_patch('{}', to_json({${others.join(', ')}}))::varchar, '{}')`,
    fault: absent.length === 0 ? 'null::varchar' : `case ${absent.join(' ')} end`,
  };
  return project(table, present, source, 'line', constants, ofLine);
}
