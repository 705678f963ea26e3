import assert from 'node:assert/strict';

import type pg from 'pg';

import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { PublishedLoad } from '../../warehouse/publish-request.js';
import { prepareSuperseded } from '../../warehouse/superseded-tables.js';
import type { Target } from '../../warehouse/target.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { inPages, file, prepareDelivery, stagingTables } from './planning.js';

const target: Target = {
  schema: 'experiments',
  how: 'merge',
  tables: [
    { name: 'session', key: ['session_id'] },
    { name: 'event', key: ['session_id', 'ordinal'] },
  ],
  completes: [],
  date: '2026-03-01',
};

/** A session by its line in the file: id, what it says, and how many events it has. */
type Session = readonly [id: number, says: string, events: number];

describe('rows that are merged by key', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  let requests = 0;

  beforeEach(async () => {
    database = await testDatabase();
    pool = database.pool;
    await prepareDelivery(pool);
    await pool.query(`
      set search_path = experiments;
      create table session (session_id bigint primary key, says text, _file_id bigint, _line bigint);
      create table event (
        session_id bigint, ordinal bigint, _file_id bigint, _line bigint, primary key (session_id, ordinal)
      );
      reset search_path;`);
    const client = await pool.connect();
    await prepareSuperseded(client, 'experiments', target);
    client.release();
  });
  afterEach(() => database.drop());

  /** Plans a load of files and stages their sessions, as reading them would; returns the load. */
  async function stage(
    job: string,
    files: Readonly<Record<string, readonly Session[]>>,
    force = true,
  ): Promise<string> {
    const id = `experiments/${job}`;
    await openDelivery(pool, { id, source: 'experiments', type: 'json', date: target.date }, 0);
    const { loadId } = await planLoad(pool, {
      ...{ deliveryId: id, source: 'experiments', target, request: `load-${++requests}`, force },
      ...{ marker: () => undefined, files: inPages(Object.keys(files).map((key) => file(key))) },
      limits: { files: 9, bytes: 1e9 },
      newness: () => job,
    });
    for (const [key, sessions] of Object.entries(files)) {
      const { rows } = await pool.query<{ id: string }>('select id from landfall.file where key = $1', [key]);
      const fileId = rows[0]!.id;
      for (const [index, [session, says, events]] of sessions.entries()) {
        await pool.query(`insert into landfall_staging.load_${loadId}_session values ($1, $2, $3, $4)`, [
          session,
          says,
          fileId,
          index + 1,
        ]);
        await pool.query(
          `insert into landfall_staging.load_${loadId}_event
           select $1, n, $2, $3 from generate_series(1, $4) n`,
          [session, fileId, index + 1, events],
        );
      }
      const events = sessions.reduce((sum, [, , count]) => sum + count, 0);
      await pool.query(
        `update landfall.load_file
         set staged_at = now(), rows_parsed = $3, rows_loaded = $3, rows_quarantined = 0, rows_duplicate = 0,
             rows_by_table = jsonb_build_object('session', $3::bigint, 'event', $4::bigint)
         where load_id = $1 and file_id = $2`,
        [loadId, fileId, sessions.length, events],
      );
    }
    return loadId;
  }

  const publish = (job: string, loadId: string): Promise<PublishedLoad> =>
    publishLoad(pool, {
      ...{ loadId, deliveryId: `experiments/${job}`, target, quarantineLimit: 0.01 },
      ...{ finality: 'final', reason: 'by hand', onlyGrows: false },
    });
  const load = async (
    job: string,
    files: Readonly<Record<string, readonly Session[]>>,
  ): Promise<PublishedLoad> => publish(job, await stage(job, files));

  /** What readers see: sessions with what they say and their events. */
  const seen = async (): Promise<Session[]> => {
    const { rows } = await pool.query<{ id: string; says: string; events: string }>(
      `select s.session_id as id, s.says, count(e.*) as events
       from experiments.session s left join experiments.event e using (session_id) group by 1, 2 order by 1`,
    );
    const orphans = await pool.query(
      'select * from experiments.event where session_id not in (select session_id from experiments.session)',
    );
    assert.deepEqual(orphans.rows, []);
    return rows.map(({ id, says, events }) => [Number(id), says, Number(events)]);
  };

  it('stand beside those of other deliveries', async () => {
    await load('a', { a1: [[1, 'a', 2]], a2: [[2, 'a', 0]] });
    await load('b', { b1: [[3, 'b', 1]] });
    assert.deepEqual(await seen(), [
      [1, 'a', 2],
      [2, 'a', 0],
      [3, 'b', 1],
    ]);
  });

  it('take the place of those that come again, in all tables', async () => {
    await load('a', {
      a1: [
        [1, 'a', 5],
        [2, 'a', 3],
      ],
    });
    await load('b', { b1: [[2, 'b', 1]] });
    assert.deepEqual(await seen(), [
      [1, 'a', 5],
      [2, 'b', 1],
    ]);
  });

  it('take the place of all that was there under their key, even where there is no row of the first table', async () => {
    await load('a', { a1: [[1, 'a', 5]], a2: [[2, 'a', 3]] });
    const loadId = await stage('b', { b1: [[2, 'b', 1]] });
    await pool.query(`delete from landfall_staging.load_${loadId}_session`);
    await pool.query(
      `update landfall.load_file set rows_by_table = rows_by_table || '{"session": 0}' where load_id = $1`,
      [loadId],
    );
    await publish('b', loadId);
    assert.deepEqual((await pool.query('select session_id from experiments.session')).rows, [
      { session_id: '1' },
    ]);
    const events = await pool.query(
      'select session_id, count(*)::int as n from experiments.event group by 1 order by 1',
    );
    assert.deepEqual(events.rows, [
      { session_id: '1', n: 5 },
      { session_id: '2', n: 1 },
    ]);
  });

  it('leave nothing in staging', async () => {
    await load('a', { a1: [[1, 'a', 5]] });
    assert.deepEqual(await stagingTables(pool), []);
  });

  it('go when the delivery is loaded again without them', async () => {
    await load('a', { a1: [[1, 'a', 5]], a2: [[2, 'a', 3]] });
    await load('a', { a1: [[1, 'a', 5]] });
    assert.deepEqual(await seen(), [[1, 'a', 5]]);
  });

  it('count once within a load: the last by file, then line; one that says something else is kept in the quarantine', async () => {
    const twice = {
      a2: [[1, 'third', 1]],
      a1: [
        [1, 'first', 2],
        [1, 'third', 1],
        [2, 'other', 1],
      ],
      a10: [[2, 'other', 2]],
    } as const;
    const counts = await load('a', twice);
    assert.deepEqual([counts.parsed, counts.loaded, counts.duplicate, counts.conflicting], [5, 2, 1, 2]);
    assert.deepEqual(await seen(), [
      [1, 'third', 1],
      [2, 'other', 2],
    ]);
    const { rows } = await pool.query<{ key: string; line: string; reason: string; raw: string }>(
      `select f.key, q.line, q.reason, q.raw from landfall.quarantine q join landfall.file f on f.id = q.file_id
       order by f.key, q.line`,
    );
    const other = 'another row has the same session_id and says something else; line 1 of';
    assert.deepEqual(
      rows.map(({ raw, ...row }) => ({ ...row, raw: JSON.parse(raw) as unknown })),
      [
        {
          ...{ key: 'a1', line: '1', reason: `${other} a2 is the newest and counts` },
          raw: { session_id: 1, says: 'first', event: [{ ordinal: 1 }, { ordinal: 2 }] },
        },
        {
          ...{ key: 'a1', line: '3', reason: `${other} a10 is the newest and counts` },
          raw: { session_id: 2, says: 'other', event: [{ ordinal: 1 }] },
        },
      ],
    );
  });

  it('leave with their delivery, and those of others stay', async () => {
    await load('a', {
      a1: [
        [1, 'a', 5],
        [2, 'a', 3],
      ],
    });
    await load('b', { b1: [[2, 'b', 1]] });
    const discard = { deliveryId: 'experiments/a', target, reason: 'not wanted', request: 'discard' };
    await discardDelivery(pool, discard);
    assert.deepEqual(await seen(), [[2, 'b', 1]]);
  });

  it('are refused when a crash of Postgres has emptied what was staged, and staged anew by the next plan', async () => {
    for (const lose of ['truncate', 'drop table']) {
      const parts = { [lose]: [[1, lose, 2]] } as const;
      const loadId = await stage('a', parts);
      await pool.query(`${lose} landfall_staging.load_${loadId}_event`);
      const lost = /holds 0 rows of event where 2 were reported|The staging table of event .* is gone/;
      await assert.rejects(publish('a', loadId), { type: 'StagingLost', message: lost });
      await assert.rejects(publish('a', loadId), { type: 'LoadSuperseded' });
      const again = await stage('a', parts, false);
      assert.notEqual(again, loadId);
      await publish('a', again);
      assert.deepEqual(await seen(), [[1, lose, 2]]);
    }
  });

  it('of two deliveries at once are those of the newer one', async () => {
    const [a, b] = await Promise.all([
      stage('a', {
        a1: [
          [1, 'a', 2],
          [2, 'a', 2],
        ],
      }),
      stage('b', {
        b1: [
          [2, 'b', 1],
          [1, 'b', 1],
        ],
      }),
    ]);
    await Promise.all([publish('b', b), publish('a', a)]);
    assert.deepEqual(await seen(), [
      [1, 'b', 1],
      [2, 'b', 1],
    ]);
  });

  it('become visible together, at one instant', async () => {
    await load('a', { a1: [[1, 'a', 2]] });
    const loadId = await stage('b', {
      b1: [
        [1, 'b', 7],
        [2, 'b', 1],
      ],
    });
    const reader = await pool.connect();
    await reader.query('begin isolation level repeatable read');
    const before = await reader.query('select count(*)::int as n from experiments.event');
    await publish('b', loadId);
    const after = await reader.query('select count(*)::int as n from experiments.event');
    await reader.query('rollback');
    reader.release();
    assert.deepEqual(after.rows, before.rows);
    assert.deepEqual(await seen(), [
      [1, 'b', 7],
      [2, 'b', 1],
    ]);
  });
});
