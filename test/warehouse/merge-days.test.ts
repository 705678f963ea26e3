import assert from 'node:assert/strict';

import type pg from 'pg';

import { megaphone } from '../../vendors/megaphone/vendor.js';
import { mergeDays, type MergedDays } from '../../warehouse/merge-days.js';
import { openPool } from '../../warehouse/pool.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  conversions,
  discardDay,
  loadDay,
  makeDays,
  partitionNames,
  prepareDays,
  source,
  table,
  visibleDays,
} from './days.js';
import { march, recent } from './merging.js';

const limits = { periods: Infinity, patience: 0 };

describe('old days of a table', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  /** Landfall's, beside the test's own. */
  let pool: pg.Pool;

  beforeEach(async () => {
    database = await testDatabase();
    pool = openPool(database.url);
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  const merge = (): Promise<MergedDays> => mergeDays(pool, conversions, limits);

  it('are put together, a month a partition, and readers see the same rows', async () => {
    await prepareDays(pool);
    await makeDays(database.pool, [...march, ...recent]);
    const before = await visibleDays(database.pool);
    assert.deepEqual(await merge(), { periods: ['2026-03'] });
    assert.deepEqual(await visibleDays(database.pool), before);
    assert.deepEqual(await partitionNames(database.pool), [
      '2026_03',
      ...recent.map((day) => day.replaceAll('-', '_')),
    ]);
    assert.deepEqual(await merge(), { periods: [] });
  });

  for (const type of megaphone.types) {
    it(`are put together in Megaphone's table of ${type} too`, async () => {
      const [{ name, key }] = megaphone.landing(type).tables;
      await prepareSource(
        pool,
        { name: 'podcasts', vendor: megaphone.name, schema: source },
        megaphone.scripts,
      );
      await makeDays(database.pool, [...march, ...recent], 2, {
        table: name,
        key: key[0]!,
        source: 'podcasts',
        type,
      });
      const of = { source: 'podcasts', type, schema: source, table: name, key };
      assert.deepEqual(await mergeDays(pool, of, limits), { periods: ['2026-03'] });
      const { rows } = await database.pool.query(
        `select count(*)::integer as n, count(distinct tableoid)::integer as partitions from ${source}."${name}"`,
      );
      assert.deepEqual(rows, [{ n: 2 * (march.length + recent.length), partitions: 1 + recent.length }]);
    });
  }

  it('can be replaced and discarded in their month, and come again', async () => {
    await prepareDays(pool);
    await makeDays(database.pool, [...march, ...recent]);
    await merge();
    await loadDay(database.pool, '2026-03-07', 5, 'new');
    await discardDay(database.pool, '2026-03-08');
    await discardDay(database.pool, '2026-03-09');
    await loadDay(database.pool, '2026-03-09', 3, 'again');
    const seen = await visibleDays(database.pool);
    assert.equal(seen['2026-03-06'], '2 of old');
    assert.equal(seen['2026-03-07'], '5 of new');
    assert.equal(seen['2026-03-08'], undefined);
    assert.equal(seen['2026-03-09'], '3 of again');
    const { rows } = await database.pool.query(
      `select count(*)::integer as staging from pg_tables where schemaname = 'landfall_staging'`,
    );
    assert.deepEqual(rows, [{ staging: 0 }]);
  });

  it('become years where there are two years of months since, from months too', async () => {
    await prepareDays(pool);
    const old = ['2023-05-01', '2023-05-31', '2023-06-01', '2023-06-30'];
    await makeDays(database.pool, [...old, ...recent]);
    assert.deepEqual(await merge(), { periods: ['2023-05', '2023-06'] });
    await loadDay(pool, '2023-05-31', 3, 'new');
    const months = Array.from(
      { length: 24 },
      (_, n) => `${2024 + Math.floor((n + 3) / 12)}-${String(((n + 3) % 12) + 1).padStart(2, '0')}`,
    );
    await makeDays(
      database.pool,
      months.flatMap((month) => [`${month}-01`, `${month}-02`]),
    );
    const before = await visibleDays(pool);
    assert.deepEqual(await merge(), { periods: ['2023', ...months] });
    assert.deepEqual(await visibleDays(pool), before);
    assert.equal(before['2023-05-31'], '3 of new');
    await loadDay(pool, '2023-05-31', 4, 'newer');
    await loadDay(pool, '2023-12-31', 5, 'added');
    await discardDay(pool, '2023-06-01');
    await loadDay(pool, '2022-12-31', 1, 'backfilled');
    const seen = await visibleDays(pool);
    assert.deepEqual(
      ['2022-12-31', '2023-05-31', '2023-06-01', '2023-12-31'].map((day) => seen[day]),
      ['1 of backfilled', '4 of newer', undefined, '5 of added'],
    );
    assert.deepEqual((await partitionNames(pool)).slice(0, 3), ['2022', '2023', '2024_04']);
  });

  it('are attached without a scan, while nobody can read the table', async () => {
    await prepareDays(pool);
    await makeDays(database.pool, [...march, ...recent], 1);
    const url = new URL(database.url);
    url.searchParams.set('options', '-c client_min_messages=debug1');
    const told: string[] = [];
    const talkative = openPool(url.href);
    talkative.on('connect', (client) => client.on('notice', ({ message = '' }) => told.push(message)));
    try {
      await mergeDays(talkative, conversions, limits);
    } finally {
      await talkative.end();
    }
    const attached = 'partition constraint for table "conversion_2026_03" is implied by existing constraints';
    assert.deepEqual(
      told.filter((message) => message.startsWith('partition constraint')),
      [attached],
    );
  });

  it('do not vanish from a transaction that began before they were copied', async () => {
    await prepareDays(pool);
    await makeDays(database.pool, [...march, ...recent]);
    const before = await visibleDays(database.pool);
    const reader = await database.pool.connect();
    try {
      await reader.query('begin transaction isolation level repeatable read');
      await reader.query('select 1 from landfall.delivery limit 1');
      assert.match((await merge()).waitsFor ?? '', /^The days of 2026-03 are not put together yet/);
      assert.deepEqual(await visibleDays(reader), before);
      await reader.query('commit');
      await reader.query('begin transaction isolation level repeatable read');
      await reader.query('select 1 from landfall.delivery limit 1');
      assert.deepEqual(await merge(), { periods: ['2026-03'] }, 'this one began after they were copied');
      assert.deepEqual(await visibleDays(reader), before);
    } finally {
      await reader.query('rollback');
      reader.release();
    }
  });

  it('are copied again where they have changed since: exchanged, discarded, or by a person', async () => {
    await prepareDays(pool);
    await makeDays(database.pool, [...march, ...recent]);
    const reader = await database.pool.connect();
    try {
      await reader.query('begin transaction isolation level repeatable read');
      await reader.query('select 1 from landfall.delivery limit 1');
      await merge();
      const copied = await database.pool.query('select days from landfall.period_copy');
      assert.equal(copied.rows.length, 31, 'they are copied and wait for the reader');
    } finally {
      await reader.query('rollback');
      reader.release();
    }
    await loadDay(database.pool, '2026-03-07', 5, 'new');
    await discardDay(database.pool, '2026-03-08');
    await database.pool.query(
      `delete from ${table} where export_date = '2026-03-09' and uuid = 'old-1';
       update ${table} set uuid = 'changed' where export_date = '2026-03-10' and uuid = 'old-1';
       insert into ${table} (uuid, export_date, _file_id, _line) values ('added', '2026-03-11', 1, 9)`,
    );
    const before = await visibleDays(database.pool);
    assert.deepEqual(await merge(), { periods: ['2026-03'] });
    assert.deepEqual(await visibleDays(database.pool), before);
    assert.equal(before['2026-03-08'], undefined);
    assert.equal((await partitionNames(database.pool))[0], '2026_03');
  });

  it('leave nothing behind when they are gone before they are put together', async () => {
    await prepareDays(pool);
    await makeDays(database.pool, [...march, ...recent]);
    await database.pool.query(
      `create table landfall_staging.period_2026_03_1 (); create table landfall_staging.period_2026_1 ();
       insert into landfall.period_copy values (1, '2026-03', 1, '{2026-03-01}', 1, 1)`,
    );
    const staged = async (): Promise<unknown> =>
      (
        await database.pool.query(
          `select (select count(*) from pg_tables where schemaname = 'landfall_staging')::integer as tables,
                  (select count(*) from landfall.period_copy)::integer as days`,
        )
      ).rows;
    await merge();
    assert.deepEqual(await staged(), [{ tables: 0, days: 0 }]);
  });
});
