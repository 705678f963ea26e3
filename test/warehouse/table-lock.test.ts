import assert from 'node:assert/strict';

import type pg from 'pg';

import { Failure } from '../../model/failure.js';
import { mergeDays } from '../../warehouse/merge-days.js';
import { openPool } from '../../warehouse/pool.js';
import { eventually } from '../support/eventually.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  conversions,
  discardDay,
  idOf,
  loadDay,
  makeDays,
  prepareDays,
  publishDay,
  stageDay,
  table,
  visibleDays,
} from './days.js';
import { march, recent } from './merging.js';

describe('a table that a long report reads', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  let report: pg.PoolClient;

  beforeEach(async () => {
    database = await testDatabase();
    pool = openPool(database.url);
    await prepareDays(pool);
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  /** A report that is at the table while `work` is done. */
  async function whileReported(work: (pid: number) => Promise<void>): Promise<void> {
    report = await database.pool.connect();
    try {
      await report.query('begin');
      await report.query(`select count(*) from ${table}`);
      const { rows } = await report.query<{ pid: number }>('select pg_backend_pid() as pid');
      await work(rows[0]!.pid);
    } finally {
      await report.query('rollback');
      report.release();
    }
  }

  /** What a step was refused with. */
  async function refusal(step: Promise<unknown>): Promise<Failure> {
    return step.then(
      () => assert.fail('it was not refused'),
      (error: unknown) => {
        assert.ok(error instanceof Failure, String(error));
        assert.equal(error.type, 'TablesBusy');
        assert.ok(error.retryIn !== undefined && error.retryIn >= 5_000 && error.retryIn <= 10_000);
        return error;
      },
    );
  }

  /** Lets another turn be taken, as if the time until then had passed. */
  const nextTurn = (): Promise<unknown> =>
    database.pool.query(`update landfall.partitioned_table set turn_at = turn_at - interval '61 seconds'`);

  it('is not published into, and the refusal names who reads it', async () => {
    await loadDay(pool, '2026-04-01', 2, 'first');
    const loadId = await stageDay(pool, '2026-04-01', 3, 'second');
    await whileReported(async (pid) => {
      for (let tries = 0; tries < 2; tries += 1) {
        const { message } = await refusal(publishDay(pool, '2026-04-01', loadId));
        assert.match(
          message,
          /^Delivery experiments\/events\/2026-04-01 is not published yet: experiments\.conversion/,
        );
        assert.match(
          message,
          new RegExp(`held by pid ${pid} \\(test, user landfall, idle in transaction, query start 20`),
        );
        assert.doesNotMatch(message, /count/, 'no text of the query');
      }
    });
    await publishDay(pool, '2026-04-01', loadId);
    assert.deepEqual(await visibleDays(pool), { '2026-04-01': '3 of second' });
  });

  it('keeps its rows until they can be discarded, and the refusal says so', async () => {
    await loadDay(pool, '2026-04-01', 2, 'first');
    await whileReported(async (pid) => {
      const { message } = await refusal(discardDay(pool, '2026-04-01', 'wish'));
      assert.match(
        message,
        new RegExp(`^The rows of delivery ${idOf('2026-04-01')} are not taken away yet.* pid ${pid} `),
      );
    });
    await discardDay(pool, '2026-04-01', 'wish');
    assert.deepEqual(await visibleDays(pool), {});
  });

  it('keeps its old days apart until it can be locked, and the ledger says why', async () => {
    await makeDays(pool, [...march, ...recent]);
    const merge = () => mergeDays(pool, conversions, { periods: Infinity, patience: 0 });
    const waitsFor = async (): Promise<unknown> =>
      (await pool.query<{ waits_for: unknown }>('select waits_for from landfall.partitioned_table')).rows[0]
        ?.waits_for;
    await whileReported(async (pid) => {
      const { periods, waitsFor: why } = await merge();
      assert.deepEqual(periods, []);
      assert.match(String(why), new RegExp(`^The days of 2026-03 are not put together yet.* pid ${pid} `));
      assert.equal(await waitsFor(), why);
    });
    assert.deepEqual(await merge(), { periods: ['2026-03'] });
    assert.equal(await waitsFor(), null);
  });

  it('takes new days, and days of months that are together, meanwhile', async () => {
    await makeDays(pool, [...march, ...recent]);
    await mergeDays(pool, conversions, { periods: Infinity, patience: 0 });
    await whileReported(async () => {
      await loadDay(pool, '2026-05-06', 4, 'new');
      await loadDay(pool, '2026-03-05', 4, 'new');
      await discardDay(pool, '2026-03-06');
      await loadDay(pool, '2026-02-05', 4, 'new');
    });
    const seen = await visibleDays(pool);
    assert.deepEqual(
      ['2026-05-06', '2026-03-05', '2026-03-06', '2026-02-05'].map((day) => seen[day]),
      ['4 of new', '4 of new', undefined, '4 of new'],
    );
  });

  it('makes new readers wait for a second a minute at most, whatever number of days want to be published', async () => {
    const days = ['2026-04-01', '2026-04-02', '2026-04-03', '2026-04-04'];
    for (const day of days) await loadDay(pool, day, 1, 'first');
    const loads = await Promise.all(days.map((day) => stageDay(pool, day, 1, 'second')));
    const waits: number[] = [];
    await whileReported(async () => {
      let reading = true;
      const reader = (async (): Promise<void> => {
        while (reading) {
          const begun = performance.now();
          await database.pool.query(`select from ${table} limit 1`);
          waits.push(performance.now() - begun);
        }
      })();
      for (let tries = 0; tries < 20; tries += 1) {
        await Promise.all(days.map((day, n) => refusal(publishDay(pool, day, loads[n]!))));
      }
      await refusal(discardDay(pool, days[0]!, 'wish'));
      reading = false;
      await reader;
    });
    const usual = [...waits].sort((a, b) => a - b)[waits.length >> 1]!;
    const long = waits.map((wait) => wait - usual).filter((wait) => wait > 50);
    assert.ok(long.length > 0, 'a step waited for the table, or short reports would starve it');
    const sum = long.reduce((total, wait) => total + wait, 0);
    assert.ok(sum <= 1_000, `readers waited for ${Math.round(sum)} ms: ${long.map(Math.round).join(', ')}`);
    for (const [n, day] of days.entries()) {
      await eventually(() => publishDay(pool, day, loads[n]!), { timeoutMs: 20_000 });
    }
    assert.deepEqual(
      Object.values(await visibleDays(pool)),
      days.map(() => '1 of second'),
    );
  });

  it('may be waited for again at once where nobody had to be waited for', async () => {
    for (const version of ['first', 'second', 'third']) await loadDay(pool, '2026-04-01', 1, version);
    const { rows } = await pool.query<{ seconds: number }>(
      `select extract(epoch from clock_timestamp() - turn_at)::float8 as seconds from landfall.partitioned_table`,
    );
    assert.ok(rows[0]!.seconds > 30, String(rows[0]?.seconds));
  });

  it('does not build the key anew for every try', async () => {
    await loadDay(pool, '2026-04-01', 2, 'first');
    const loadId = await stageDay(pool, '2026-04-01', 3, 'second');
    const keyOf = async (): Promise<string | undefined> =>
      (
        await pool.query<{ oid: string }>(
          `select conindid::text as oid from pg_constraint
           where conrelid = $1::regclass and contype = 'p'`,
          [`landfall_staging.load_${loadId}_conversion`],
        )
      ).rows[0]?.oid;
    await whileReported(async () => {
      await refusal(publishDay(pool, '2026-04-01', loadId));
      const key = await keyOf();
      assert.ok(key);
      await nextTurn();
      await refusal(publishDay(pool, '2026-04-01', loadId));
      assert.equal(await keyOf(), key);
    });
    await publishDay(pool, '2026-04-01', loadId);
    assert.deepEqual(await visibleDays(pool), { '2026-04-01': '3 of second' });
  });

  it('gets the indexes that people have added before it is locked', async () => {
    await loadDay(pool, '2026-04-01', 2, 'first');
    await pool.query(
      `create index "by ON visitor" on ${table} (visitor_id) where visitor_id is not null;
       create index on ${table} using brin (timestamp)`,
    );
    await loadDay(pool, '2026-04-01', 3, 'second');
    await makeDays(pool, [...march, ...recent.slice(1)]);
    await mergeDays(pool, conversions, { periods: Infinity, patience: 0 });
    const { rows } = await pool.query<{ name: string; parents: number }>(
      `select c.relname as name, count(i.inhparent)::integer as parents
       from pg_index x join pg_class c on c.oid = x.indrelid left join pg_inherits i on i.inhrelid = x.indexrelid
       where c.relname in ('conversion_2026_04_01', 'conversion_2026_03') group by c.relname order by c.relname`,
    );
    assert.deepEqual(rows, [
      { name: 'conversion_2026_03', parents: 3 },
      { name: 'conversion_2026_04_01', parents: 3 },
    ]);
  });
});
