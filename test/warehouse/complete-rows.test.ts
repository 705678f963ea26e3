import assert from 'node:assert/strict';

import type pg from 'pg';

import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { stagingNames } from '../../warehouse/names.js';
import type { PublishedLoad } from '../../warehouse/publish-request.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  deliveryOf,
  loadJob,
  planJob,
  prepareJobs,
  publishJob,
  shard,
  stageJob,
  target,
  type JobPart,
} from './jobs.js';
import { stagingTables } from './planning.js';

const headers = {
  sessions: 'sessionId,userId',
  states: 'stateId,sessionId,stateName',
  events: 'eventId,stateId,sessionId,eventName',
  parameters: 'eventId,name,value',
  attributes: 'sessionId,name,value',
  experiments: 'experimentId,sessionId,variantId',
};

describe('rows of a CSV job', function () {
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
  /** Rows of a table as texts, by its key. */
  const rowsOf = async (table: string, ...columns: string[]): Promise<(string | null)[][]> => {
    const { rows } = await pool.query<(string | null)[]>({
      text: `select ${columns.map((column) => `${column}::text`).join(', ')} from leanplum.${table}
             order by ${table === 'session' ? 'session_id' : 'session_id, leanplum.' + table + '.ordinal'}`,
      rowMode: 'array',
    });
    return rows;
  };
  /** Of each file of a load: parsed, loaded, quarantined, duplicate. */
  const countsByFile = async (loadId: string): Promise<Record<string, number[]>> => {
    const { rows } = await pool.query<{ name: string; counts: string[] }>(
      `select split_part(f.key, '-output', 2) as name,
         array[rows_parsed, rows_loaded, rows_quarantined, rows_duplicate] as counts
       from landfall.load_file lf join landfall.file f on f.id = lf.file_id where load_id = $1
       order by f.key collate "C"`,
      [loadId],
    );
    return Object.fromEntries(rows.map(({ name, counts }) => [name, counts.map(Number)]));
  };
  /** A JSON job's rows of one session, put into staging as its reader would. */
  const stageJson = async (job: string, session: string, events: number): Promise<string> => {
    const part = shard(job, '-0');
    const loadId = await planJob(pool, job, [part.key]);
    const { rows } = await pool.query<{ id: string }>('select id from landfall.file where key = $1', [
      part.key,
    ]);
    const fileId = rows[0]!.id;
    const into = (table: string): string => stagingNames(loadId, table).table;
    await pool.query(`
      insert into ${into('session')} (session_id, user_id, _file_id, _line)
        values (${session}, '${job}', ${fileId}, 1);
      insert into ${into('state')} (session_id, ordinal, state_id, name, _file_id, _line)
        values (${session}, 1, 5, 'json', ${fileId}, 1);
      insert into ${into('state_parameter')} (session_id, ordinal, state_ordinal, state_id, name, _file_id, _line)
        values (${session}, 1, 1, 5, 'json', ${fileId}, 1);
      insert into ${into('event')} (session_id, ordinal, state_ordinal, has_state, event_id, name, _file_id, _line)
        select ${session}, n, 7, false, 100 - n, 'json', ${fileId}, 1 from generate_series(1, ${events}) n`);
    await pool.query(
      `update landfall.load_file
       set staged_at = now(), rows_parsed = 1, rows_loaded = 1, rows_quarantined = 0, rows_duplicate = 0,
           rows_by_table = $2
       where load_id = $1`,
      [loadId, { session: 1, state: 1, state_parameter: 1, event: events }],
    );
    return loadId;
  };

  describe('are numbered within their session, from 1', () => {
    it('by shard as people count, and by line', async () => {
      const { events } = headers;
      await load(
        '1',
        shard('1', 'events-10', events, '1,,7,ten', '2,,7,ten again'),
        shard('1', 'events-2', events, '3,,8,other', '4,,7,two', '', '5,,7,"two\nagain"', '6,,7,two at last'),
        shard('1', 'events-0', events, '7,,7,zero'),
      );
      assert.deepEqual(await rowsOf('event', 'session_id', 'ordinal', 'name', '_line'), [
        ['7', '1', 'zero', '2'],
        ['7', '2', 'two', '3'],
        ['7', '3', 'two\nagain', '5'],
        ['7', '4', 'two at last', '7'],
        ['7', '5', 'ten', '2'],
        ['7', '6', 'ten again', '3'],
        ['8', '1', 'other', '2'],
      ]);
    });

    it('in every table that has a number', async () => {
      await load(
        '1',
        shard('1', 'states-0', headers.states, '5,7,a', '5,7,b'),
        shard('1', 'experiments-0', headers.experiments, '1,7,2', '1,7,2', '1,8,2'),
        shard('1', 'userattributes-0', headers.attributes, '7,a,b', '8,a,b', '7,c,'),
      );
      assert.deepEqual(await rowsOf('state', 'session_id', 'ordinal', 'name'), [
        ['7', '1', 'a'],
        ['7', '2', 'b'],
      ]);
      assert.deepEqual(await rowsOf('experiment', 'session_id', 'ordinal', 'variant_id', 'impressed'), [
        ['7', '1', '2', null],
        ['7', '2', '2', null],
        ['8', '1', '2', null],
      ]);
      assert.deepEqual(await rowsOf('user_attribute', 'session_id', 'ordinal', 'name', 'value'), [
        ['7', '1', 'a', 'b'],
        ['7', '2', 'c', null],
        ['8', '1', 'a', 'b'],
      ]);
    });

    it('and rows that have their number, as a JSON job has them, stay as they came', async () => {
      await publishJob(pool, '1', await stageJson('1', '7', 3));
      assert.deepEqual(await rowsOf('event', 'ordinal', 'state_ordinal', 'has_state', 'event_id'), [
        ['1', '7', 'false', '99'],
        ['2', '7', 'false', '98'],
        ['3', '7', 'false', '97'],
      ]);
    });
  });

  describe('that are events', () => {
    it('have the first state of that id in their session', async () => {
      await load(
        '1',
        shard('1', 'states-0', headers.states, '4,7,first', '5,7,second', '5,7,again', '6,8,other'),
        shard('1', 'events-0', headers.events, '1,5,7,a', '2,4,7,b', '3,6,8,c'),
      );
      assert.deepEqual(
        await rowsOf('event', 'session_id', 'name', 'state_ordinal', 'has_state', 'state_id'),
        [
          ['7', 'a', '2', 'true', '5'],
          ['7', 'b', '1', 'true', '4'],
          ['8', 'c', '1', 'true', '6'],
        ],
      );
    });

    it('are outside any state where there is no row of it: of another session does not count', async () => {
      await load(
        '1',
        shard('1', 'states-0', headers.states, '5,8,of another'),
        shard('1', 'events-0', headers.events, '1,5,7,a', '2,9,7,b', '3,,7,c'),
      );
      assert.deepEqual(await rowsOf('event', 'name', 'state_ordinal', 'has_state', 'state_id'), [
        ['a', null, 'false', '5'],
        ['b', null, 'false', '9'],
        ['c', null, 'false', null],
      ]);
    });
  });

  describe('that are parameters of events', () => {
    it('go to the first event of that id: of the smallest session, and in that the first', async () => {
      const exact = '-2977495587907092018';
      await load(
        '1',
        shard(
          '1',
          'events-0',
          headers.events,
          `${exact},,8,later`,
          `1,,7,x`,
          `${exact},,7,y`,
          `${exact},,7,z`,
        ),
        shard('1', 'eventparameters-0', headers.parameters, `${exact},a,1`, `1,b,2`),
        shard('1', 'eventparameters-1', headers.parameters, `${exact},a,3`),
      );
      assert.deepEqual(
        await rowsOf(
          'event_parameter',
          'session_id',
          'ordinal',
          'event_ordinal',
          'event_id',
          'name',
          'value',
        ),
        [
          ['7', '1', '2', exact, 'a', '1'],
          ['7', '2', '1', '1', 'b', '2'],
          ['7', '3', '2', exact, 'a', '3'],
        ],
      );
    });

    it('are bad rows where there is no such event, and are counted by their file', async () => {
      const loadId = await stageJob(pool, '1', [
        shard('1', 'events-0', headers.events, '1,,7,x'),
        shard(
          '1',
          'eventparameters-0',
          `${headers.parameters},new`,
          'x',
          '1,a,1,',
          '2,b,"2\n",more',
          '3,c,,',
        ),
        shard('1', 'eventparameters-1', headers.parameters, '1,d,4'),
      ]);
      const counts = await publishJob(pool, '1', loadId);
      assert.deepEqual([counts.parsed, counts.loaded, counts.quarantined, counts.duplicate], [6, 3, 3, 0]);
      assert.deepEqual(await countsByFile(loadId), {
        'events-0': [1, 1, 0, 0],
        'eventparameters-0': [4, 1, 3, 0],
        'eventparameters-1': [1, 1, 0, 0],
      });
      const { rows } = await pool.query<Record<string, string>>(
        'select line, reason, raw from landfall.quarantine order by line',
      );
      assert.deepEqual(rows, [
        { line: '2', reason: 'the header has 4 fields, and the row has 1', raw: 'x' },
        {
          line: '4',
          reason: 'there is no event with event_id 2 in the delivery',
          raw: '{"event_id":2,"name":"b","value":"2\\n","_extra":{"new":"more"}}',
        },
        {
          line: '6',
          reason: 'there is no event with event_id 3 in the delivery',
          raw: '{"event_id":3,"name":"c"}',
        },
      ]);
      const errors = await pool.query(
        `select first_error, first_error_line from landfall.load_file where first_error is not null`,
      );
      assert.deepEqual(errors.rows, [
        { first_error: 'the header has 4 fields, and the row has 1', first_error_line: '2' },
      ]);
      assert.deepEqual(await rowsOf('event_parameter', 'session_id', 'ordinal', 'name'), [
        ['7', '1', 'a'],
        ['7', '2', 'd'],
      ]);
    });

    it('and too many of them keep everything from being published', async () => {
      const loadId = await stageJob(pool, '1', [
        shard('1', 'events-0', headers.events, '1,,7,x', '2,,7,y'),
        shard('1', 'eventparameters-0', headers.parameters, '3,a,1'),
      ]);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        await assert.rejects(publishJob(pool, '1', loadId, { quarantineLimit: 0.33 }), {
          type: 'TooManyBadRows',
          message:
            /^1 of 3 rows of delivery sessions\/1 could not be read .* The first is line 2 of .*-outputeventparameters-0: there is no event with event_id 3 in the delivery\./,
        });
        assert.deepEqual(await rowsOf('event', 'name'), []);
        assert.deepEqual(await stagingTables(pool), []);
        const kept = await pool.query('select line from landfall.quarantine');
        assert.deepEqual(kept.rows, [{ line: '2' }]);
      }
      assert.deepEqual(await countsByFile(loadId), {
        'events-0': [2, 2, 0, 0],
        'eventparameters-0': [1, 0, 1, 0],
      });
    });
  });

  describe('of sessions that come again', () => {
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
            JSON.stringify(await rowsOf(table, 'session_id', said[table] ?? 'name')),
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
      await publishJob(pool, '2', await stageJson('2', '7', 2));
      assert.deepEqual(await rowsOf('session', 'user_id'), [['2']]);
      assert.deepEqual(await rowsOf('event', 'name'), [['json'], ['json']]);
      assert.deepEqual(await rowsOf('user_attribute', 'name'), []);
      assert.deepEqual(await rowsOf('state_parameter', 'name'), [['json']]);
      await load('3', ...job('3', '7'));
      assert.deepEqual([...(await everywhere())], ['[["7","3"]]']);
      assert.deepEqual(await rowsOf('state_parameter', 'name'), []);
    });

    it('replace the earlier ones even where their own row was left out', async () => {
      await load('1', ...job('1', '7'));
      await load('2', ...job('2', '7').filter(({ key }) => !key.includes('sessions')));
      assert.deepEqual(await rowsOf('session', 'session_id'), []);
      assert.deepEqual(await rowsOf('event', 'session_id', 'name'), [['7', '2']]);
      await load('3', shard('3', 'sessions-0', headers.sessions, '7,3'));
      assert.deepEqual(await rowsOf('session', 'user_id'), [['3']]);
      assert.deepEqual(await rowsOf('event', 'name'), []);
    });

    it('leave those of others alone', async () => {
      await load('1', ...job('1', '7'));
      await load('2', ...job('2', '8'));
      assert.deepEqual([...(await everywhere())], ['[["7","1"],["8","2"]]']);
    });

    it('twice in one job are there once; no other row goes, whatever its line', async () => {
      const loadId = await stageJob(pool, '1', [
        shard('1', 'sessions-0', headers.sessions, '7,first', '7,second', '8,x'),
        shard('1', 'sessions-1', headers.sessions, '7,third'),
        shard('1', 'events-0', headers.events, '1,,7,a', '2,,7,b', '3,,8,c'),
        shard('1', 'userattributes-0', headers.attributes, '7,a,', '7,b,'),
      ]);
      const counts = await publishJob(pool, '1', loadId);
      assert.deepEqual([counts.parsed, counts.loaded, counts.duplicate], [9, 7, 2]);
      assert.deepEqual(await countsByFile(loadId), {
        'events-0': [3, 3, 0, 0],
        'sessions-0': [3, 2, 0, 1],
        'sessions-1': [1, 0, 0, 1],
        'userattributes-0': [2, 2, 0, 0],
      });
      assert.deepEqual(await rowsOf('session', 'session_id', 'user_id'), [
        ['7', 'first'],
        ['8', 'x'],
      ]);
      assert.equal((await rowsOf('event', 'name')).length, 3);
      assert.equal((await rowsOf('user_attribute', 'name')).length, 2);
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
      assert.deepEqual(await rowsOf('event', 'name'), []);
      assert.deepEqual(await rowsOf('session', 'session_id'), [['8']]);
    });
  });

  it('of JSON and CSV in one load, as somebody may accept, are numbered after one another', async () => {
    const loadId = await stageJson('1', '7', 2);
    // As if the reader had staged it: an event of a CSV shard.
    await pool.query(`
      insert into ${stagingNames(loadId, 'event').table} (session_id, event_id, name, _file_id, _line)
      select 7, 1, 'csv', _file_id, 2 from ${stagingNames(loadId, 'session').table}`);
    await pool.query(`update landfall.load_file set rows_by_table = rows_by_table || '{"event": 3}'`);
    await publishJob(pool, '1', loadId);
    assert.deepEqual(await rowsOf('event', 'ordinal', 'name', 'state_ordinal'), [
      ['1', 'json', '7'],
      ['2', 'json', '7'],
      ['3', 'csv', null],
    ]);
  });

  describe('are published exactly once', () => {
    const parts = [
      shard('1', 'sessions-0', headers.sessions, '7,x'),
      shard('1', 'events-0', headers.events, '1,,7,a', '1,,7,b'),
      shard('1', 'eventparameters-0', headers.parameters, '1,c,', '2,d,'),
    ];
    const counted = { parsed: 5, loaded: 4, quarantined: 1, duplicate: 0 };
    const assertPublished = async (loadId: string): Promise<void> => {
      assert.deepEqual(await rowsOf('event', 'ordinal', 'name'), [
        ['1', 'a'],
        ['2', 'b'],
      ]);
      assert.deepEqual(await rowsOf('event_parameter', 'ordinal', 'name'), [['1', 'c']]);
      const { rows } = await pool.query<{ n: string }>('select count(*) as n from landfall.quarantine');
      assert.equal(rows[0]?.n, '1');
      assert.deepEqual((await countsByFile(loadId))['eventparameters-0'], [2, 1, 1, 0]);
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
        await countsByFile(loadId),
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
