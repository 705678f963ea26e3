import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import type { DuckDBConnection } from '@duckdb/node-api';

import { makePipe } from '../../reader/copy-out.js';
import { literal, withDuckDb } from '../../reader/duckdb.js';
import { inTemporaryDirectory } from '../support/isolated.js';

/** What a step reads with: a DuckDB, a folder of its own and a pipe in it. */
export interface Reading {
  readonly connection: DuckDBConnection;
  readonly folder: string;
  readonly pipe: string;
  readonly signal: AbortSignal;
}

export async function reading<T>(
  work: (reading: Reading) => Promise<T>,
  signal = new AbortController().signal,
  memoryLimit = '128MB',
  threads = 1,
): Promise<T> {
  return inTemporaryDirectory(async (folder) => {
    const pipe = join(folder, 'rows');
    await makePipe(pipe);
    const settings = { memoryLimit, threads, spillDirectory: folder };
    return withDuckDb(settings, signal, (connection) => work({ connection, folder, pipe, signal }));
  });
}

/** Writes the rows of a query as a Parquet file into the folder. */
export async function writeParquet(
  { connection, folder }: Reading,
  query: string,
  options = 'compression snappy',
): Promise<string> {
  const path = join(folder, 'part.parquet');
  await connection.run(`copy (${query}) to ${literal(path)} (format parquet, ${options})`);
  return path;
}

export async function textOf(rows: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of rows as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/**
 * How often a path is open in this process; undefined where the system does not tell. Only this path: sockets of other
 * tests come and go at any time.
 */
export function timesOpen(path: string): number | undefined {
  if (!existsSync('/proc/self/fd')) return undefined;
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      // The listing's own, or one that was closed meanwhile.
      return false;
    }
  }).length;
}
