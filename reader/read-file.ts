import type { DuckDBConnection } from '@duckdb/node-api';

import type { FileRows, GroupRows } from '../model/row-text.js';
import type { FileShape } from '../vendors/table.js';
import { copyOut } from './copy-out.js';
import { csvRows, describeCsv } from './csv/rows.js';
import type { GroupFile } from './documents/pieces.js';
import { documentRows, documentsOf, groupName } from './documents/documents.js';
import type { FileAt } from './file-bytes.js';
import { describeJsonLines, jsonLinesRows } from './lines/json-lines.js';
import { nestedLinesRows } from './nested/nested-lines.js';
import { openMasks, withoutValues, type Masks } from './masks/masks.js';
import { openParquet, unreadable } from './parquet.js';
import { project, type FileConstants } from './projection.js';

/** What a file is read with: a pipe, see copy-out.ts, and a folder for what is in between. */
export interface Place {
  readonly pipe: string;
  readonly folder: string;
}

/** What the formats are called in messages. */
export const formatNames: Readonly<Record<FileShape['format'], string>> = {
  'json lines': 'JSON lines',
  'nested json lines': 'JSON lines',
  documents: 'JSON lines',
  csv: 'CSV',
  parquet: 'Parquet',
};

/**
 * The rows of a file of any format, typed for a table: those that can be loaded, and the others with line, reason and
 * the row as it came. Throws `FileUnreadable`, here or while they are read, for what is no whole file of its format, and
 * `ConfigInvalid` where a reader has too little memory for it.
 */
export async function readFile(
  connection: DuckDBConnection,
  shape: FileShape,
  file: FileAt,
  constants: FileConstants,
  place: Place,
  signal: AbortSignal,
): Promise<FileRows> {
  const { masks } = constants;
  await openMasks(connection, masks);
  return hiding(await rowsOf(connection, shape, file, constants, place, signal), masks, file.key);
}

/** The same rows, whose errors quote nothing that is masked. */
function hiding<Rows extends FileRows>(rows: Rows, masks: Masks | undefined, key: string): Rows {
  if (masks === undefined) return rows;
  const hidden = (error: unknown): never => {
    throw withoutValues(error, masks, key);
  };
  return {
    ...rows,
    good: (consume) => rows.good(consume).catch(hidden),
    bad: (consume) => rows.bad(consume).catch(hidden),
  };
}

/** Whether files of a shape can be read several at a time. */
export function isGrouped(shape: FileShape): shape is Extract<FileShape, { readonly format: 'documents' }> {
  return shape.format === 'documents';
}

/**
 * The rows of several files together, as of one; which of them cannot be read is told, and not thrown. `folder` is for
 * what is in between.
 */
export async function readGroup(
  connection: DuckDBConnection,
  { table }: Extract<FileShape, { readonly format: 'documents' }>,
  files: readonly GroupFile[],
  constants: Omit<FileConstants, 'fileId'>,
  folder: string,
  signal: AbortSignal,
): Promise<GroupRows> {
  const { masks } = constants;
  await openMasks(connection, masks);
  return hiding(documentRows(connection, table, files, constants, folder, signal), masks, groupName(files));
}

async function rowsOf(
  connection: DuckDBConnection,
  shape: FileShape,
  file: FileAt,
  constants: FileConstants,
  place: Place,
  signal: AbortSignal,
): Promise<FileRows> {
  const { format } = shape;
  if (format === 'json lines') {
    return jsonLinesRows(connection, shape.table, file, constants, place.folder, signal);
  }
  if (format === 'nested json lines') {
    return nestedLinesRows(connection, shape.table, file, constants, place.folder, signal);
  }
  if (format === 'csv') return csvRows(connection, shape, file, constants, place.folder, signal);
  if (format === 'documents') {
    return documentsOf(connection, shape.table, file, constants, place.folder, signal);
  }
  const { table } = shape;
  const parquet = await openParquet(connection, file.path, file.key);
  const { columns, good, bad } = project(table, parquet.columns, parquet.source, parquet.line, constants);
  const inOurWords = async (error: unknown): Promise<never> => {
    throw await unreadable(connection, error, file.path, file.key, constants.masks);
  };
  const landing = { name: table.name, columns };
  return {
    tables: [landing],
    good: (consume) =>
      copyOut(connection, good, place.pipe, (rows) => consume(rows, landing)).catch(inOurWords),
    bad: (consume) => copyOut(connection, bad, place.pipe, consume).catch(inOurWords),
    parsed: () => parquet.rows,
  };
}

/** What a file says of itself, without a table: its rows, and the names of its columns. Throws as `readFile`. */
export async function describeFile(
  connection: DuckDBConnection,
  format: FileShape['format'],
  file: FileAt,
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly columns: readonly string[] }> {
  if (format === 'json lines' || format === 'nested json lines' || format === 'documents') {
    return describeJsonLines(connection, file, folder, signal);
  }
  if (format === 'csv') return describeCsv(file, folder, signal);
  const { rows, columns } = await openParquet(connection, file.path, file.key);
  return { rows, columns: columns.map(({ name }) => name) };
}
