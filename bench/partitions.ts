/**
 * Ten years of days, before and after old ones are put together, and what it costs to replace a day by then. The measurement of
 * docs/decisions/0015-old-days-are-put-together.md.
 *
 *   node --import tsx bench/partitions.ts [--days 3650] [--rows 500000]
 */

import { parseArgs } from 'node:util';

import pg from 'pg';

import { addDays } from '../model/day.js';
import { mergeDays } from '../warehouse/merge-days.js';
import { openPool } from '../warehouse/pool.js';
import { median } from './median.js';
import { schema, timed, withWarehouse } from './warehouse.js';

const { values } = parseArgs({
  options: { days: { type: 'string', default: '3650' }, rows: { type: 'string', default: '500000' } },
});
const table = `${schema}.conversion`;
const last = '2026-11-27';
const insert = (into: string, day: string, rows: number): string => `
  insert into ${into} (uuid, timestamp, visitor_id, event_name, attributes, export_date, _file_id, _line)
  select md5('${day}' || i)::uuid::text, timestamp '${day}' + i * interval '1 ms', 'oeu' || i % 280000, 'purchase',
    jsonb_build_array(jsonb_build_object('id', '1', 'name', md5(i::text))), '${day}', 1, i
  from generate_series(1, ${rows}) as i`;

await withWarehouse(async (client) => {
  const { host, port, user = '', password, database = '' } = client;
  const url = `postgresql://${user}:${password ?? ''}@${host}:${port}/${database}`;
  const days = Array.from({ length: Number(values.days) }, (_, n) => addDays(last, -n));
  for (const day of days) await makeDay(client, day, 10);
  await client.query('analyze');
  await describe(url, 'a partition for each day');
  const pool = openPool(url);
  const begun = performance.now();
  const { periods } = await mergeDays(
    pool,
    { source: schema, type: 'events', schema, table: 'conversion', key: ['uuid'] },
    { periods: Infinity, patience: 0 },
  );
  console.log(
    `put together: ${periods.length} months and years in ${((performance.now() - begun) / 1_000).toFixed(1)} s`,
  );
  await pool.end();
  await describe(url, 'days, months and years');
  await replaceDay(client, Number(values.rows));
});

async function makeDay(client: pg.Client, day: string, rows: number): Promise<void> {
  const partition = `${table}_${day.replaceAll('-', '_')}`;
  await client.query(`
    create table ${partition} (like ${table} including defaults, primary key (export_date, uuid));
    ${insert(partition, day, rows)};
    alter table ${table} attach partition ${partition} for values in ('${day}')`);
}

/** Locks of a count, milliseconds of planning in a new session and in one that has planned before, and six counts. */
async function describe(url: string, what: string): Promise<void> {
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client;
  };
  console.log(`\n${what}`);
  for (const where of [
    `export_date between '2026-10-29' and '2026-11-27'`,
    'export_date > current_date - 30',
  ]) {
    const times: [number[], number[]] = [[], []];
    for (let n = 0; n < 9; n += 1) {
      const client = await connect();
      for (const list of times) {
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `explain (summary) select event_name, count(*) from ${table} where ${where} group by event_name`,
        );
        const line =
          rows.map((row) => row['QUERY PLAN']).find((text) => text.startsWith('Planning Time')) ?? '';
        list.push(Number(/[\d.]+/.exec(line)?.[0]));
      }
      await client.end();
    }
    const [cold, warm] = times.map((list) => median(list).toFixed(1));
    console.log(
      `  where ${where}: planned in ${cold} ms in a new session, ${warm} ms in one that has planned before`,
    );
  }
  const clients = await Promise.all(Array.from({ length: 6 }, connect));
  await Promise.all(clients.map((client) => client.query('begin')));
  const counts = await Promise.allSettled(
    clients.map((client) => client.query(`select count(*) from ${table}`)),
  );
  const { rows } = await clients[0]!
    .query<{ n: string }>(
      `select case when pg_current_xact_id_if_assigned() is null then count(*) end as n from pg_locks where pid = pg_backend_pid()`,
    )
    .catch(() => ({ rows: [] }));
  const failed = counts.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  console.log(
    `  six counts at once: ${failed ? String(failed.reason) : `done, ${rows[0]?.n ?? '?'} locks each`}`,
  );
  await Promise.all(clients.map((client) => client.end()));
}

/** A day of many rows, in a partition of its own and in that of its month. */
async function replaceDay(client: pg.Client, rows: number): Promise<void> {
  const staged = async (day: string): Promise<void> => {
    await client.query(
      `drop table if exists bench_staging; create table bench_staging (like ${table} including defaults);
       ${insert('bench_staging', day, rows)}`,
    );
  };
  const own = '2026-11-20';
  await staged(own);
  const exchanged = await timed(client, async () => {
    const partition = `${table}_${own.replaceAll('-', '_')}`;
    await client.query(`
      begin;
      alter table bench_staging add primary key (export_date, uuid);
      alter table ${table} detach partition ${partition};
      drop table ${partition};
      alter table ${table} attach partition bench_staging for values in ('${own}');
      commit`);
    await client.query('alter table bench_staging rename to bench_shown');
  });
  const month = `${table}_2026_09`;
  await client.query(insert(month, '2026-09-20', rows).replace(`md5('2026-09-20'`, `md5('before'`));
  await client.query(`analyze ${month}`);
  await staged('2026-09-20');
  const replaced = await timed(client, async () => {
    await client.query(`
      begin;
      alter table bench_staging add primary key (export_date, uuid);
      delete from ${month} where export_date = '2026-09-20';
      insert into ${month} select * from bench_staging;
      drop table bench_staging;
      commit`);
  });
  console.log(
    `\n${rows} rows replaced: ${exchanged.toFixed(2)} s as a partition, ${replaced.toFixed(2)} s in its month`,
  );
}
