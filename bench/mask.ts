/**
 * What hashing personal data costs in DuckDB, which has SHA-256 and no HMAC, and that what comes out is HMAC-SHA256. The
 * measurement of docs/decisions/0010-masking.md.
 *
 *   node --import tsx bench/mask.ts [--rows 1000000] [--runs 3]
 */

import { createHash, createHmac } from 'node:crypto';
import { parseArgs } from 'node:util';

import { blobValue, DuckDBInstance } from '@duckdb/node-api';

import { printSeconds } from './median.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
});
const key = 'a key of the bench, as long as a hash';

/** The key as both hashes of an HMAC begin with it: a block of 64 bytes each. */
function pads(secret: string): { readonly inner: Buffer; readonly outer: Buffer } {
  const bytes = Buffer.from(secret);
  const block = Buffer.alloc(64);
  (bytes.length > 64 ? createHash('sha256').update(bytes).digest() : bytes).copy(block);
  const xor = (pad: number): Buffer => Buffer.from(block.map((byte) => byte ^ pad));
  return { inner: xor(0x36), outer: xor(0x5c) };
}

const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
const connection = await instance.connect();
const { inner, outer } = pads(key);
// Bound, and not written into a query: errors quote those.
await connection.run('set variable mask_inner = $1::blob', [blobValue(inner)]);
await connection.run('set variable mask_outer = $1::blob', [blobValue(outer)]);
await connection.run(`create macro hmac(value) as
  sha256(getvariable('mask_outer') || unhex(sha256(getvariable('mask_inner') || encode(value))))`);
// A value of an object: of a list each entry; what lies deeper is hashed as it is written.
await connection.run(`create macro hmac_json(value) as case json_type(value)
  when 'NULL' then 'null'::json
  when 'ARRAY' then to_json(list_transform(from_json(value, '["VARCHAR"]'), lambda entry: hmac(entry)))
  else to_json(hmac(value ->> '$')) end`);
const pairs = `map_entries(from_json(targets, '"MAP(VARCHAR, JSON)"'))`;
const hashed = `to_json(map_from_entries(list_transform(${pairs}, lambda pair: {key: pair.key, value: hmac_json(pair.value)})))`;

const read = async (query: string): Promise<unknown> =>
  (await connection.runAndReadAll(query)).getRows()[0]?.[0];
const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
for (const text of ['', 'ann@example.com', 'ä€😀', 'x'.repeat(200)]) {
  if ((await read(`select hmac('${text}')`)) !== hmac(text))
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
  ['a text: HMAC', 'len(hmac(plain))'],
  ['an object of three values: read', 'len(targets::varchar)'],
  [
    'an object of three values: taken apart and put together',
    `len(to_json(map_from_entries(${pairs}))::varchar)`,
  ],
  ['an object of three values: the same with HMAC', `len(${hashed}::varchar)`],
];
const seconds = new Map<string, number[]>(ways.map(([name]) => [name, []]));
for (let run = 0; run < Number(values.runs); run += 1) {
  for (const [name, expression] of ways) {
    const began = performance.now();
    await connection.run(`select sum(${expression}) from value`);
    seconds.get(name)?.push((performance.now() - began) / 1_000);
  }
}
printSeconds(seconds);
connection.closeSync();
instance.closeSync();
