import assert from 'node:assert/strict';

import type pg from 'pg';

import { deliver, load, signal, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';
import { ownDatabase } from '../support/own-postgres.js';
import { withSteps } from '../support/steps.js';

const date = '2026-03-01';
const first = { type: 'events', date, rows: 3_000, parts: 6, folders: false, seed: 'first' } as const;
const second = { ...first, rows: 4_200, parts: 7, seed: 'second' } as const;
const countRows = 'select count(*)::int as n from experiments.conversion';

describe('whoever reads the tables while a day is loaded', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await testSource();
    await deliver(source, first);
  });
  afterEach(() => source.drop());

  const count = async (db: pg.Pool | pg.ClientBase): Promise<number> =>
    (await db.query<{ n: number }>(countRows)).rows[0]!.n;

  /** Lets a reader's transaction begin now, and end when the test has. */
  async function withReader<T>(work: (reader: pg.ClientBase) => Promise<T>): Promise<T> {
    const reader = await source.database.pool.connect();
    try {
      return await work(reader);
    } finally {
      await reader.query('rollback');
      reader.release();
    }
  }

  it('sees nothing, then all of the first version, then all of the second, and nothing in between', async () => {
    const input = source.input('events', date, { deadline: 0 });
    const seen: number[] = [];
    let reading = true;
    const reader = (async (): Promise<void> => {
      while (reading) {
        const n = await count(source.database.pool);
        if (seen.at(-1) !== n) seen.push(n);
      }
    })();
    await withWorker(
      source,
      async (client) => {
        await (await source.start(client, input)).result();
        await eventually(() => seen.includes(first.rows));
        await deliver(source, second);
        await signal(source, client, 'reprocess', 'the vendor wrote it anew', input);
        await eventually(() => seen.includes(second.rows));
      },
      { batchLimits: { files: 1, bytes: 1e9 } },
    );
    reading = false;
    await reader;
    assert.deepEqual(seen, [0, first.rows, second.rows]);
  });

  for (const level of ['repeatable read', 'serializable']) {
    it(`sees no part of a day either in a transaction that began while it was staged (${level})`, () =>
      withSteps(source, 'events', date, async (steps) => {
        const plan = await steps.plan('first');
        await steps.stage(plan, 0);
        await steps.stage(plan, 1);
        await withReader(async (reader) => {
          await reader.query(`begin transaction isolation level ${level}`);
          await reader.query('select 1 from landfall.load limit 1');
          await steps.stageAll(plan);
          await steps.publish(plan);
          assert.equal(await count(source.database.pool), first.rows);
          assert.equal(await count(reader), 0);
        });
        await assertConsistent(source.database.pool);
      }));
  }

  it('sees no duplicate either in a transaction that began before they were removed', async () => {
    await deliver(source, { ...first, flaws: { duplicatesAcross: 5 } });
    await withSteps(source, 'events', date, async (steps) => {
      const plan = await steps.plan('first');
      await steps.stageAll(plan);
      await withReader(async (reader) => {
        await reader.query('begin transaction isolation level repeatable read');
        await reader.query('select 1 from landfall.load limit 1');
        assert.equal((await steps.publish(plan)).duplicate, 5);
        assert.equal(await count(source.database.pool), first.rows - 5);
        assert.equal(await count(reader), 0);
      });
      await assertConsistent(source.database.pool);
    });
  });

  it('is not autovacuum: the rows are not written anew for it', async () => {
    const database = await ownDatabase({
      autovacuum_naptime: '1s',
      autovacuum_vacuum_cost_limit: '1',
      autovacuum_vacuum_cost_delay: '100ms',
    });
    const vacuumed = await testSource({ database });
    try {
      await deliver(vacuumed, first);
      await withSteps(vacuumed, 'events', date, async (steps) => {
        await database.pool.query(
          `create table tenth as select n, repeat('x', 1000) as x from generate_series(1, 10000) n`,
        );
        await database.pool.query('delete from tenth where n % 2 = 0');
        const vacuums = `select count(*)::int as n from pg_stat_activity
                         where query like 'autovacuum:%tenth%' and backend_xmin is not null`;
        const running = async (): Promise<boolean> =>
          (await database.pool.query<{ n: number }>(vacuums)).rows[0]!.n > 0;
        await eventually(running, { timeoutMs: 30_000, what: 'autovacuum' });
        const plan = await steps.plan('first');
        await steps.stageAll(plan);
        const nodeOf = async (table: string): Promise<string> =>
          (
            await database.pool.query<{ node: string }>('select pg_relation_filenode($1::regclass) as node', [
              table,
            ])
          ).rows[0]!.node;
        const staged = await nodeOf(`landfall_staging.load_${plan.loadId}_conversion`);
        await steps.publish(plan);
        assert.ok(await running(), 'autovacuum was at it all the time');
        assert.equal(await nodeOf(`experiments.conversion_${date.replaceAll('-', '_')}`), staged);
      });
    } finally {
      await vacuumed.drop();
    }
  });

  it('may take its time: publishing steps aside, is tried again, and succeeds when the report is done', async () => {
    await load(source, 'events', date, {}, { deadline: 0 });
    await deliver(source, second);
    await withWorker(source, async (client) => {
      const report = await source.database.pool.connect();
      await report.query('begin');
      assert.equal(await count(report), first.rows);
      const input = source.input('events', date, { deadline: 0 });
      const ended = signal(source, client, 'reprocess', 'while a report runs', input);
      const delivery = client.workflow.getHandle(`${source.config.name}/events/${date}`);
      const refused = async (): Promise<string | null | undefined> =>
        (await delivery.describe()).raw.pendingActivities?.[0]?.lastFailure?.message;
      assert.match(
        await eventually(refused, { timeoutMs: 20_000 }),
        /conversion is held by pid \d+ .* is tried again/,
      );
      assert.equal(await count(report), first.rows, 'the report still sees what it saw');
      assert.equal(await count(source.database.pool), first.rows, 'and new readers are not kept waiting');
      await report.query('commit');
      report.release();
      assert.deepEqual((await ended).counts?.loaded, second.rows);
    });
    assert.equal(await count(source.database.pool), second.rows);
    await assertConsistent(source.database.pool);
  });
});
