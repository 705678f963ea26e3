import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import type { DuckDBConnection } from '@duckdb/node-api';

import { binaryStart } from '../../model/row-text.js';
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

/** How many rows a stream has, of text without line breaks in values or of binary tuples. */
export async function countRows(rows: Readable): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of rows as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (!bytes.subarray(0, binaryStart.length).equals(binaryStart))
    return bytes.toString().split('\n').length - 1;
  let count = 0;
  let at = binaryStart.length;
  for (let fields = bytes.readInt16BE(at); fields >= 0; fields = bytes.readInt16BE(at)) {
    at += 2;
    for (; fields > 0; fields -= 1) at += 4 + Math.max(0, bytes.readInt32BE(at));
    count += 1;
  }
  return count;
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
