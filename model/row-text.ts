/**
 * How rows travel from the reader into Postgres: as CSV whose separators are control characters, in DuckDB's options and
 * in Postgres'. JSON is full of commas and quotes; with the usual separators nearly every value is quoted and its quotes
 * doubled, and for the bench's 500,000 rows COPY takes 6.3 s of its core instead of 5.4 s (and DuckDB 1.9 s instead of
 * 1.5 s). A value that does hold one of these characters, or a line break, is quoted as ever.
 */

import type { Readable } from 'node:stream';

import type { Failure } from './failure.js';

const [delimiter, quote] = ['\u0002', '\u0001'];

export const rowTextOfDuckDb = `format csv, header false, delim '${delimiter}', quote '${quote}', escape '${quote}'`;
export const rowTextOfPostgres = `format csv, delimiter '${delimiter}', quote '${quote}'`;

/** A row whose values are all there, as such text; for the few rows that do not come out of DuckDB. */
export function rowText(values: readonly string[]): string {
  return `${values.map((value) => `${quote}${value.replaceAll(quote, quote + quote)}${quote}`).join(delimiter)}\n`;
}

/**
 * Rows may also come as tuples of Postgres' binary COPY, which takes it 1.05 s instead of 1.7 s of its core for the 500,000
 * metrics of the bench: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS-BINARY. These stand
 * before and after them.
 */
export const binaryStart = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
export const binaryEnd = Buffer.from([0xff, 0xff]);

export type RowForm = 'text' | 'binary';

/** COPY's options for rows of a form. */
export function copyOptions(form: RowForm = 'text'): string {
  return form === 'binary' ? 'format binary' : rowTextOfPostgres;
}

/** Rows as such text: hands their stream to `consume` and returns what it returns. */
export type RowSource = (consume: (rows: Readable) => Promise<number>) => Promise<number>;

/** A table that rows of a file go into. */
export interface FileTable {
  readonly name: string;
  /** Columns in the order of the rows' text. */
  readonly columns: readonly string[];
  /** Of the rows that are handed over with it. Default text. */
  readonly form?: RowForm;
}

/** The rows of a file, on their way from the reader into the warehouse. */
export interface FileRows {
  /**
   * Lines of the file are counted in the first table; the others hold what lies within them. One may be there several
   * times, with other columns each.
   */
  readonly tables: readonly [FileTable, ...FileTable[]];
  /**
   * Hands over the rows that can be loaded: one stream after the other, of one table each, perhaps several of a table.
   * Returns how many rows of the first table were taken.
   */
  readonly good: (consume: (rows: Readable, table: FileTable) => Promise<number>) => Promise<number>;
  /** The others, as load_id, file_id, line, reason, raw; asked for after `good`, if fewer rows were loaded than parsed. */
  readonly bad: RowSource;
  /** Rows in the file; known once `good` has been read to its end. */
  readonly parsed: () => number;
}

/** What became of the rows of one file. parsed = loaded + quarantined. */
export interface RowsOfFile {
  readonly parsed: number;
  /** Rows of the first table. */
  readonly loaded: number;
  readonly quarantined: number;
  /** Rows by table; one that is not named has none. */
  readonly byTable: Readonly<Record<string, number>>;
}

/** The rows of several files at once, each with its file's id. */
export interface GroupRows extends FileRows {
  /** Of the file with this id (`landfall.file.id`); known once `good` and `bad` have been read to their ends. */
  readonly of: (fileId: string) => RowsOfFile;
  /** Files that turned out not to be readable, once `good` has been read to its end: none of their rows is handed over. */
  readonly unreadable?: () => readonly { readonly id: string; readonly error: Failure }[];
}
