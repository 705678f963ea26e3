import type { DuckDBConnection } from '@duckdb/node-api';

import { identifier, literal } from './duckdb.js';
import type { Masks } from './masks/masks.js';
import type { FileColumn } from './typing.js';
import { tooLittleMemory, unreadableFile } from './unreadable.js';

export interface ParquetFile {
  readonly rows: number;
  readonly columns: readonly FileColumn[];
  /** Table expression with the file's columns. */
  readonly source: string;
  /** A row's line in the file, from 1. */
  readonly line: string;
}

/** Reads a file's footer. Throws `FileUnreadable`, with DuckDB's word, for what is no whole Parquet file. */
export async function openParquet(
  connection: DuckDBConnection,
  path: string,
  key: string,
): Promise<ParquetFile> {
  const source = tableOf(path);
  try {
    const described = await connection.runAndReadAll(
      `describe select * exclude (file_row_number) from ${source}`,
    );
    const counted = await connection.runAndReadAll(
      `select num_rows from parquet_file_metadata(${literal(path)})`,
    );
    return {
      rows: Number(counted.getRowObjects()[0]?.num_rows ?? 0),
      columns: described.getRowObjects().map((row) => ({
        name: String(row.column_name),
        type: String(row.column_type),
      })),
      source,
      line: 'file_row_number + 1',
    };
  } catch (error) {
    throw await unreadable(connection, error, path, key);
  }
}

/** Folder names are not columns: the path is our spool's, and the vendor's partition goes by another way. */
function tableOf(path: string): string {
  return `read_parquet(${literal(path)}, hive_partitioning = false, file_row_number = true)`;
}

/** DuckDB's complaint about a file, in our words. What is not about the file passes as it is. */
export async function unreadable(
  connection: DuckDBConnection,
  error: unknown,
  path: string,
  key: string,
  masks?: Masks,
): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  // A page of each column has to be in memory at once: writers that make huge ones need a larger limit, for ever.
  const memory = tooLittleMemory(error, key);
  if (memory) return memory;
  if (!complaint.test(error.message)) return error;
  const word = error.message.includes(notUtf8)
    ? `the text of ${await columnOutsideUtf8(connection, path)} is not UTF-8.`
    : masks
      ? `${error.message.replace(/:.*$/s, '')} of DuckDB, whose words may quote what is masked and are not shown.`
      : (error.message.split('\n')[0] ?? '').replaceAll(path, key);
  return unreadableFile(key, 'Parquet', word);
}

/**
 * Classes of DuckDB's errors that speak of a file's bytes, with an example of each:
 *
 * - Invalid Input Error: No magic bytes found at end of file 'part.parquet'
 * - Invalid Error: Out of buffer
 * - Conversion Error, Not implemented Error: a type or an encoding that DuckDB does not know
 * - Binder Error: Failed to read Parquet file "part.parquet": Using file_row_number option on file with column named …
 */
const complaint =
  /^((Invalid Input|Invalid|Conversion|Out of Range|Not implemented|Serialization) Error: |Binder Error: Failed to read Parquet)/;

const notUtf8 = 'Invalid string encoding';

/** Finds the column by reading each: DuckDB shows the value instead, which is somebody's data. */
async function columnOutsideUtf8(connection: DuckDBConnection, path: string): Promise<string> {
  const described = await connection.runAndReadAll(`describe select * from ${tableOf(path)}`);
  for (const row of described.getRowObjects()) {
    const name = String(row.column_name);
    try {
      await connection.run(`select max(${identifier(name)}::varchar) from ${tableOf(path)}`);
    } catch {
      return `column ${name}`;
    }
  }
  return 'one of its columns';
}
