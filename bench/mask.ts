/**
 * What hashing personal data costs in DuckDB, which has SHA-256 and no HMAC, and that what comes out is HMAC-SHA256. The
 * measurement of docs/decisions/0010-masking.md, in seconds of processor time.
 *
 *   node --import tsx bench/mask.ts [--rows 1000000] [--runs 3]
 */

import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { DuckDBInstance } from '@duckdb/node-api';

import { rulesOf, type Treatment } from '../config/mask-rules.js';
import { secret } from '../config/secret.js';
import { withDuckDb } from '../reader/duckdb.js';
import { maskJson } from '../reader/masks/sql.js';
import { masksOf, openMasks } from '../reader/masks/masks.js';
import { readFile } from '../reader/read-file.js';
import { writeMetricsDay } from '../sandbox/megaphone/day.js';
import { megaphoneTables } from '../vendors/megaphone/tables.js';
import { printSeconds } from './median.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
});
const key = 'a key of the bench, as long as a hash';

const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
const connection = await instance.connect();
await openMasks(connection, { rules: [], key: secret(key) });
const hash = { treatment: 'hash', depth: 0 } as const;
const keep = { treatment: 'keep', depth: 0 } as const;
const hashed = maskJson('targets', hash);
const oneHashed = maskJson('targets', { ...keep, within: { keys: new Map([['1234', hash]]), others: keep } });

const read = async (query: string): Promise<unknown> =>
  (await connection.runAndReadAll(query)).getRows()[0]?.[0];
const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
for (const text of ['', 'ann@example.com', 'ä€😀', 'x'.repeat(200)]) {
  if ((await read(`select mask_text('${text}')`)) !== hmac(text))
    throw new Error(`'${text}' is not hashed as HMAC-SHA256`);
}
const example = await read(
  `select ${hashed}::varchar from (select '{"1":"a","2":["b",3],"4":null}'::json as targets)`,
);
if (example !== JSON.stringify({ 1: hmac('a'), 2: [hmac('b'), hmac('3')], 4: null })) {
  throw new Error(`an object is not hashed value by value: ${String(example)}`);
}

await connection.run(`create table value as
  select 'person' || range || '@example.com' as plain,
    ('{"1234":"person' || range || '@example.com","1235":["a' || range || '","b' || range || '"]}')::json as targets
  from range(${BigInt(values.rows)})`);
const ways: readonly (readonly [string, string])[] = [
  ['a text: read', 'len(plain)'],
  ['a text: SHA-256', 'len(sha256(plain))'],
  ['a text: HMAC', 'len(mask_text(plain))'],
  ['an object of three values: read', 'len(targets::varchar)'],
  [
    'an object of three values: taken apart and put together',
    `len(to_json(map_from_entries(map_entries(from_json(targets, '"MAP(VARCHAR, JSON)"'))))::varchar)`,
  ],
  ['an object of three values: all hashed', `len((${hashed})::varchar)`],
  ['an object of three values: one key hashed', `len((${oneHashed})::varchar)`],
];
const seconds = new Map<string, number[]>(ways.map(([name]) => [name, []]));
for (let run = 0; run < Number(values.runs); run += 1) {
  for (const [name, expression] of ways) {
    const began = process.cpuUsage();
    await connection.run(`select sum(${expression}) from value`);
    const { user, system } = process.cpuUsage(began);
    seconds.get(name)?.push((user + system) / 1e6);
  }
}
printSeconds(seconds);
connection.closeSync();
instance.closeSync();

/** A day of Megaphone's as its reader takes it, whose plain lines go the quick way where nothing is hashed. */
const files: readonly (readonly [string, Readonly<Record<string, Treatment>>])[] = [
  ['a Megaphone file: without rules', {}],
  ['a Megaphone file: ip dropped', { ip: 'drop' }],
  ['a Megaphone file: ip hashed', { ip: 'hash' }],
];
const ofFiles = new Map<string, number[]>(files.map(([name]) => [name, []]));
const folder = await mkdtemp(join(tmpdir(), 'landfall-bench-'));
const date = '2026-11-20';
const path = join(folder, 'part');
await writeMetricsDay({ path, date, rows: Number(values.rows) });
const { signal } = new AbortController();
for (let run = 0; run < Number(values.runs); run += 1) {
  for (const [name, rules] of files) {
    const masks = masksOf({ mask: rulesOf(rules), maskKey: secret(key) });
    const constants = { exportDate: date, partitionValue: null, loadId: '1', fileId: '1', masks };
    const shape = { format: 'json lines', table: megaphoneTables.metrics } as const;
    const reader = { memoryLimit: '256MB', threads: 1, spillDirectory: folder };
    await withDuckDb(reader, signal, async (duck) => {
      const began = process.cpuUsage();
      const rows = await readFile(duck, shape, { path, key: path }, constants, { pipe: '', folder }, signal);
      await rows.good(async (stream) => {
        let bytes = 0;
        for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
        return bytes;
      });
      const { user, system } = process.cpuUsage(began);
      ofFiles.get(name)?.push((user + system) / 1e6);
    });
  }
}
printSeconds(ofFiles);
await rm(folder, { recursive: true });
