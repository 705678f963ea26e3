/**
 * Ways to replace a day, from the rows in hand to the rows visible. The measurement of
 * docs/decisions/0002-staging-is-the-partition.md.
 *
 *   node --import tsx bench/publishing.ts [--rows 500000] [--runs 3]
 */

import { parseArgs } from 'node:util';

import type pg from 'pg';

import { optimizelyTables } from '../vendors/optimizely/tables.js';
import { printSeconds } from './median.js';
import { schema, timed, withWarehouse } from './warehouse.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '500000' }, runs: { type: 'string', default: '3' } },
});
const table = `${schema}.conversion`;
const partition = `${table}_2026_03_01`;
const day = `date '2026-03-01'`;

await withWarehouse(async (client) => {
  await makeRows(client, Number(values.rows));
  const seconds = new Map<string, number[]>();
  const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    seconds.set(what, [...(seconds.get(what) ?? []), await timed(client, work)]);
  };
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const kind of ['', 'unlogged']) {
      const name = kind === '' ? 'logged' : 'unlogged';
      await client.query('drop table if exists bench_staging');
      await measure(`fill ${name} staging`, () => fill(client, kind));
      if (kind === 'unlogged') {
        await measure('publish unlogged staging: upsert its rows', () => upsert(client));
        await client.query(`drop table ${partition}`);
        await measure('publish unlogged staging: make it logged and the partition', async () => {
          await client.query('alter table bench_staging set logged');
          await exchange(client);
        });
      } else {
        await measure('publish logged staging: make it the partition', () => exchange(client));
      }
    }
  }
  printSeconds(seconds);
});

/** Rows as wide as the vendor's, in a table to take them from. */
async function makeRows(client: pg.Client, rows: number): Promise<void> {
  await client.query(`
    create unlogged table bench_rows as
    select md5(i::text)::uuid::text as uuid, now() - i * interval '1 ms' as timestamp, now() as process_timestamp,
      'oeu' || i % 280000 || 'r0.' || i as visitor_id, '24680135790' as account_id,
      jsonb_build_array(jsonb_build_object('campaign_id', '30100000001', 'experiment_id', '30110000001',
        'variation_id', '30120000011', 'is_holdback', false)) as experiments,
      (select jsonb_agg(jsonb_build_object('id', n::text, 'name', 'attribute ' || n, 'type', 'custom', 'value', md5(i::text)))
       from generate_series(1, 5) as n) as attributes,
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0' as user_agent,
      ${day} as export_date, 1::bigint as _file_id, i::bigint as _line
    from generate_series(1, ${rows}) as i`);
}

async function fill(client: pg.Client, kind: string): Promise<void> {
  await client.query(
    `create ${kind} table bench_staging (like ${table} including defaults, check (export_date = ${day}))`,
  );
  await client.query(`
    insert into bench_staging (uuid, timestamp, process_timestamp, visitor_id, account_id, experiments, attributes,
      user_agent, export_date, _file_id, _line)
    select * from bench_rows`);
}

async function exchange(client: pg.Client): Promise<void> {
  await client.query('begin');
  await client.query('alter table bench_staging add primary key (export_date, uuid)');
  await client.query(`drop table if exists ${partition}`);
  await client.query(`alter table bench_staging set schema ${schema}`);
  await client.query(`alter table ${schema}.bench_staging rename to conversion_2026_03_01`);
  await client.query(`alter table ${table} attach partition ${partition} for values in ('2026-03-01')`);
  await client.query('commit');
}

/** Into the day that is there already, every row of it again. */
async function upsert(client: pg.Client): Promise<void> {
  const names = optimizelyTables.events.columns.map(({ name }) => name).filter((name) => name !== 'uuid');
  const changes = [...names, '_file_id', '_line'].map((name) => `${name} = excluded.${name}`);
  await client.query(
    `insert into ${table} select * from bench_staging
     on conflict (export_date, uuid) do update set ${changes.join(', ')}`,
  );
}
