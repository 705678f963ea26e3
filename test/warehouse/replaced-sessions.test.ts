import assert from 'node:assert/strict';

import type pg from 'pg';

import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { stagingNames } from '../../warehouse/names.js';
import type { PublishedLoad } from '../../warehouse/publish-request.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  countsByFile,
  deliveryOf,
  headers,
  loadJob,
  prepareJobs,
  publishJob,
  rowsOf,
  shard,
  stageJob,
  stageJson,
  target,
  type JobPart,
} from './jobs.js';
import { stagingTables } from './planning.js';

describe('sessions of a CSV job that come again', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;

  beforeEach(async () => {
    database = await testDatabase();
    pool = database.pool;
    await prepareJobs(pool);
  });
  afterEach(() => database.drop());

  const load = (job: string, ...parts: JobPart[]): Promise<PublishedLoad> => loadJob(pool, job, parts);

  /** A session with an event in a state, with a parameter, an attribute and an experiment. */
  const job = (name: string, session: string): JobPart[] => [
    shard(name, 'sessions-0', headers.sessions, `${session},${name}`),
    shard(name, 'states-0', headers.states, `5,${session},${name}`),
    shard(name, 'events-0', headers.events, `1,5,${session},${name}`),
    shard(name, 'eventparameters-0', headers.parameters, `1,${name},x`),
    shard(name, 'userattributes-0', headers.attributes, `${session},${name},x`),
    shard(name, 'experiments-0', headers.experiments, `1,${session},${name}`),
  ];
  const tables = ['session', 'state', 'event', 'event_parameter', 'user_attribute', 'experiment'];
  const said: Readonly<Record<string, string>> = { session: 'user_id', experiment: 'variant_id' };
  /** Sessions and which job says so, in every table of a CSV job. */
  const everywhere = async (): Promise<Set<string>> =>
    new Set(
      await Promise.all(
        tables.map(async (table) =>
          JSON.stringify(await rowsOf(pool, table, 'session_id', said[table] ?? 'name')),
        ),
      ),
    );

  it('with a later CSV job are those of that one, in all tables', async () => {
    await load('1', ...job('1', '7'));
    await load('2', ...job('2', '7'));
    assert.deepEqual([...(await everywhere())], ['[["7","2"]]']);
  });

  it('with a JSON job are those of that one, and the other way round', async () => {
    await load('1', ...job('1', '7'));
    await publishJob(pool, '2', await stageJson(pool, '2', '7', 2));
    assert.deepEqual(await rowsOf(pool, 'session', 'user_id'), [['2']]);
    assert.deepEqual(await rowsOf(pool, 'event', 'name'), [['json'], ['json']]);
    assert.deepEqual(await rowsOf(pool, 'user_attribute', 'name'), []);
    assert.deepEqual(await rowsOf(pool, 'state_parameter', 'name'), [['json']]);
    await load('3', ...job('3', '7'));
    assert.deepEqual([...(await everywhere())], ['[["7","3"]]']);
    assert.deepEqual(await rowsOf(pool, 'state_parameter', 'name'), []);
  });

  it('replace the earlier ones even where their own row was left out', async () => {
    await load('1', ...job('1', '7'));
    await load('2', ...job('2', '7').filter(({ key }) => !key.includes('sessions')));
    assert.deepEqual(await rowsOf(pool, 'session', 'session_id'), []);
    assert.deepEqual(await rowsOf(pool, 'event', 'session_id', 'name'), [['7', '2']]);
    await load('3', shard('3', 'sessions-0', headers.sessions, '7,3'));
    assert.deepEqual(await rowsOf(pool, 'session', 'user_id'), [['3']]);
    assert.deepEqual(await rowsOf(pool, 'event', 'name'), []);
  });

  it('leave those of others alone', async () => {
    await load('1', ...job('1', '7'));
    await load('2', ...job('2', '8'));
    assert.deepEqual([...(await everywhere())], ['[["7","1"],["8","2"]]']);
  });

  it('twice in one job are there once; no other row goes, whatever its line', async () => {
    const loadId = await stageJob(pool, '1', [
      shard('1', 'sessions-0', headers.sessions, '7,first', '7,third', '8,x'),
      shard('1', 'sessions-1', headers.sessions, '7,third'),
      shard('1', 'events-0', headers.events, '1,,7,a', '2,,7,b', '3,,8,c'),
      shard('1', 'userattributes-0', headers.attributes, '7,a,', '7,b,'),
    ]);
    const counts = await publishJob(pool, '1', loadId);
    assert.deepEqual([counts.parsed, counts.loaded, counts.duplicate, counts.conflicting], [9, 7, 1, 1]);
    assert.deepEqual(await countsByFile(pool, loadId), {
      'events-0': [3, 3, 0, 0],
      'sessions-0': [3, 2, 0, 0, 1, 0],
      'sessions-1': [1, 0, 0, 1],
      'userattributes-0': [2, 2, 0, 0],
    });
    const quarantine = await pool.query<{ line: string; reason: string; raw: string }>(
      'select line, reason, raw from landfall.quarantine',
    );
    assert.deepEqual(quarantine.rows, [
      {
        line: '2',
        reason:
          'another row has the same session_id and says something else; line 2 of ' +
          '20261120/export-1-00000000-0000-4000-8000-000000000001-outputsessions-1 is the newest and counts',
        raw: '{"user_id": "first", "session_id": 7}',
      },
    ]);
    assert.deepEqual(await rowsOf(pool, 'session', 'session_id', 'user_id'), [
      ['7', 'third'],
      ['8', 'x'],
    ]);
    assert.equal((await rowsOf(pool, 'event', 'name')).length, 3);
    assert.equal((await rowsOf(pool, 'user_attribute', 'name')).length, 2);
  });

  it('leave all tables with their job', async () => {
    await load('1', ...job('1', '7'));
    await load('2', ...job('2', '8'));
    await discardDelivery(pool, {
      ...{ deliveryId: deliveryOf('1'), target, reason: 'not wanted', request: 'discard' },
    });
    assert.deepEqual([...(await everywhere())], ['[["8","2"]]']);
  });

  it('go when their job is loaded again without them', async () => {
    await load('1', ...job('1', '7'));
    await load('1', shard('1', 'sessions-1', headers.sessions, '8,x'));
    assert.deepEqual(await rowsOf(pool, 'event', 'name'), []);
    assert.deepEqual(await rowsOf(pool, 'session', 'session_id'), [['8']]);
  });
});

describe('rows of a CSV job that are completed', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;

  beforeEach(async () => {
    database = await testDatabase();
    pool = database.pool;
    await prepareJobs(pool);
  });
  afterEach(() => database.drop());

  describe('are published exactly once', () => {
    const parts = [
      shard('1', 'sessions-0', headers.sessions, '7,x'),
      shard('1', 'events-0', headers.events, '1,,7,a', '1,,7,b'),
      shard('1', 'eventparameters-0', headers.parameters, '1,c,', '2,d,'),
    ];
    const counted = { parsed: 5, loaded: 4, quarantined: 1, duplicate: 0 };
    const assertPublished = async (loadId: string): Promise<void> => {
      assert.deepEqual(await rowsOf(pool, 'event', 'ordinal', 'name'), [
        ['1', 'a'],
        ['2', 'b'],
      ]);
      assert.deepEqual(await rowsOf(pool, 'event_parameter', 'ordinal', 'name'), [['1', 'c']]);
      const { rows } = await pool.query<{ n: string }>('select count(*) as n from landfall.quarantine');
      assert.equal(rows[0]?.n, '1');
      assert.deepEqual((await countsByFile(pool, loadId))['eventparameters-0'], [2, 1, 1, 0]);
      assert.deepEqual(await stagingTables(pool), [], 'staging is gone');
    };

    it('whoever does so twice, or at the same time', async () => {
      const loadId = await stageJob(pool, '1', parts);
      const answers = await Promise.all([1, 2, 3].map(() => publishJob(pool, '1', loadId)));
      answers.push(await publishJob(pool, '1', loadId));
      for (const { parsed, loaded, quarantined, duplicate } of answers) {
        assert.deepEqual({ parsed, loaded, quarantined, duplicate }, counted);
      }
      await assertPublished(loadId);
    });

    it('and what breaks off half-way leaves staging and ledger as they were', async () => {
      const loadId = await stageJob(pool, '1', parts);
      const state = async (): Promise<unknown> => [
        await countsByFile(pool, loadId),
        await stagingTables(pool),
        (await pool.query(`select ordinal, name from ${stagingNames(loadId, 'event').table} order by name`))
          .rows,
        (await pool.query('select line from landfall.quarantine')).rows,
      ];
      const before = await state();
      await pool.query(`alter table leanplum.user_attribute rename to away`);
      await assert.rejects(publishJob(pool, '1', loadId), /user_attribute/);
      await pool.query(`alter table leanplum.away rename to user_attribute`);
      assert.deepEqual(await state(), before);
      await publishJob(pool, '1', loadId);
      await assertPublished(loadId);
    });

    it('and not where a crash of Postgres has emptied what was staged', async () => {
      const loadId = await stageJob(pool, '1', parts);
      await pool.query(`truncate ${stagingNames(loadId, 'event_parameter').table}`);
      await assert.rejects(publishJob(pool, '1', loadId), {
        type: 'StagingLost',
        message: /holds 0 rows of event_parameter where 2 were reported/,
      });
    });
  });
});
