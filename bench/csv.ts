/**
 * How long a CSV file takes to become rows, without Postgres. The measurement of docs/decisions/0007-csv-by-record.md.
 *
 *   node --import tsx bench/csv.ts [--rows 1000000] [--runs 3]
 */

import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

import { withDuckDb } from '../reader/duckdb.js';
import { readFile } from '../reader/read-file.js';
import { csvColumns, csvFiles } from '../vendors/leanplum/csv.js';
import { printSeconds } from './median.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
});
const rows = Number(values.rows);
const { signal } = new AbortController();
const shape = { format: 'csv', file: csvFiles.events, columns: csvColumns(csvFiles.events) } as const;
const constants = { exportDate: '2026-03-01', partitionValue: null, loadId: '1', fileId: '1' };

const folder = await mkdtemp(join(tmpdir(), 'landfall-bench-'));
try {
  const path = join(folder, 'events.csv');
  await pipeline(Readable.from(lines()), createWriteStream(path));
  const megabytes = Math.round((await stat(path)).size / 1e6);
  const seconds: number[] = [];
  const before = process.cpuUsage();
  for (let run = 0; run < Number(values.runs); run += 1) {
    const start = performance.now();
    const settings = { memoryLimit: '256MB', threads: 2, spillDirectory: folder };
    await withDuckDb(settings, signal, async (connection) => {
      const place = { pipe: '', folder };
      const file = await readFile(connection, shape, { path, key: 'events' }, constants, place, signal);
      await file.good(async (text) => {
        let bytes = 0;
        for await (const chunk of text as AsyncIterable<Buffer>) bytes += chunk.length;
        return bytes;
      });
      if (file.parsed() !== rows) throw new Error(`${file.parsed()} rows instead of ${rows}`);
    });
    seconds.push((performance.now() - start) / 1_000);
  }
  const { user, system } = process.cpuUsage(before);
  printSeconds(new Map([[`${rows} events of ${megabytes} MB`, seconds]]));
  console.log(`\nProcessor: ${((user + system) / 1e6 / seconds.length).toFixed(2)} s a run`);
  console.log(`Peak memory: ${Math.round(process.resourceUsage().maxRSS / 1_000)} MB`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A third of the rows has a value in quotes, and one in fifty has a line break there. */
function* lines(): Generator<string> {
  yield 'eventId,stateId,sessionId,eventName,start,value,info,timeUntilFirstForUser\n';
  for (let n = 0; n < rows; n += 1) {
    const ids = [BigInt(n) - 2977495587907092018n, 8457531699855530674n - BigInt(n >> 2), (n >> 3) * 7919];
    const start = new Date(1_770_000_000_000 + n).toISOString().replace('T', ' ').replace('Z', '');
    const info = n % 50 === 0 ? `"said ""hello"",\nand more ${n}"` : n % 3 === 0 ? `"New York, NY ${n}"` : '';
    yield `${ids.join()},E_Opened_App_${n % 97},${start},${(n % 7) / 2},${info},${n % 1000}.5\n`;
  }
}
