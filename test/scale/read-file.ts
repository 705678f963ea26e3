/**
 * Reads files of Megaphone's impressions one after the other, in a process whose memory is nobody else's, and prints a
 * JSON line for each: what was read, and the most memory that the process has had so far. Rows go nowhere.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { withDuckDb } from '../../reader/duckdb.js';
import { readFile } from '../../reader/read-file.js';
import { megaphoneTables } from '../../vendors/megaphone/tables.js';

export interface FileRead {
  readonly parsed: number;
  /** Bytes of the rows that can be loaded. */
  readonly good: number;
  /** Lines of text for the quarantine. */
  readonly bad: number;
  /** Bytes. */
  readonly peakMemory: number;
}

const [folder = '', ...paths] = process.argv.slice(2);
const { signal } = new AbortController();
await mkdir(folder);

for (const path of paths) {
  await withDuckDb(
    { memoryLimit: '256MB', threads: 1, spillDirectory: folder },
    signal,
    async (connection) => {
      const shape = { format: 'json lines', table: megaphoneTables.impressions } as const;
      const constants = { exportDate: '2026-03-01', partitionValue: null, loadId: '1', fileId: '1' };
      const place = { folder, pipe: join(folder, 'rows') };
      const rows = await readFile(connection, shape, { path, key: path }, constants, place, signal);
      const good = await rows.good(sizeOf);
      const bad = await rows.bad(linesOf);
      const peakMemory = process.resourceUsage().maxRSS * 1024;
      console.log(JSON.stringify({ parsed: rows.parsed(), good, bad, peakMemory } satisfies FileRead));
    },
  );
}

async function sizeOf(rows: Readable): Promise<number> {
  let size = 0;
  for await (const chunk of rows as AsyncIterable<Buffer>) size += chunk.length;
  return size;
}

async function linesOf(rows: Readable): Promise<number> {
  let lines = 0;
  for await (const chunk of rows as AsyncIterable<Buffer>)
    lines += chunk.toString('latin1').split('\n').length - 1;
  return lines;
}
