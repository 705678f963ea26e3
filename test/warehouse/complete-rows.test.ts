import assert from 'node:assert/strict';

import type pg from 'pg';

import { stagingNames } from '../../warehouse/names.js';
import type { PublishedLoad } from '../../warehouse/publish-request.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  countsByFile,
  headers,
  loadJob,
  prepareJobs,
  publishJob,
  rowsOf,
  shard,
  stageJob,
  stageJson,
  type JobPart,
} from './jobs.js';
import { stagingTables } from './planning.js';

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

  describe('are numbered within their session, from 1', () => {
    it('by shard as people count, and by line', async () => {
      const { events } = headers;
      await load(
        '1',
        shard('1', 'events-10', events, '1,,7,ten', '2,,7,ten again'),
        shard('1', 'events-2', events, '3,,8,other', '4,,7,two', '', '5,,7,"two\nagain"', '6,,7,two at last'),
        shard('1', 'events-0', events, '7,,7,zero'),
      );
      assert.deepEqual(await rowsOf(pool, 'event', 'session_id', 'ordinal', 'name', '_line'), [
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
      assert.deepEqual(await rowsOf(pool, 'state', 'session_id', 'ordinal', 'name'), [
        ['7', '1', 'a'],
        ['7', '2', 'b'],
      ]);
      assert.deepEqual(await rowsOf(pool, 'experiment', 'session_id', 'ordinal', 'variant_id', 'impressed'), [
        ['7', '1', '2', null],
        ['7', '2', '2', null],
        ['8', '1', '2', null],
      ]);
      assert.deepEqual(await rowsOf(pool, 'user_attribute', 'session_id', 'ordinal', 'name', 'value'), [
        ['7', '1', 'a', 'b'],
        ['7', '2', 'c', null],
        ['8', '1', 'a', 'b'],
      ]);
    });

    it('and rows that have their number, as a JSON job has them, stay as they came', async () => {
      await publishJob(pool, '1', await stageJson(pool, '1', '7', 3));
      assert.deepEqual(await rowsOf(pool, 'event', 'ordinal', 'state_ordinal', 'has_state', 'event_id'), [
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
        await rowsOf(pool, 'event', 'session_id', 'name', 'state_ordinal', 'has_state', 'state_id'),
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
      assert.deepEqual(await rowsOf(pool, 'event', 'name', 'state_ordinal', 'has_state', 'state_id'), [
        ['a', null, 'false', '5'],
        ['b', null, 'false', '9'],
        ['c', null, 'false', null],
      ]);
    });
  });

  describe('that are parameters of events', () => {
    it('whose id occurs in several sessions belong to none, which the load says', async () => {
      const loadId = await stageJob(pool, '1', [
        shard('1', 'events-0', headers.events, '42,,7,x', '42,,8,y', '5,,8,z'),
        shard('1', 'eventparameters-0', headers.parameters, '42,email,a@example.com', '5,b,2', '42,c,'),
      ]);
      const { notice, ...counts } = await publishJob(pool, '1', loadId, { quarantineLimit: 0 });
      assert.deepEqual([counts.parsed, counts.loaded, counts.quarantined, counts.conflicting], [6, 4, 0, 2]);
      assert.equal(
        notice,
        '2 rows of event_parameter cannot be told to belong to one session, for the id that should lead there occurs in ' +
          'several. They are left out and lie in landfall.quarantine.',
      );
      assert.deepEqual(await rowsOf(pool, 'event_parameter', 'session_id', 'name'), [['8', 'b']]);
      const { rows } = await pool.query('select line, reason from landfall.quarantine order by line');
      const reason = 'there are events with event_id 42 in several sessions';
      assert.deepEqual(rows, [
        { line: '2', reason },
        { line: '4', reason },
      ]);
    });

    it('go to the first event of that id in the session', async () => {
      const exact = '-2977495587907092018';
      await load(
        '1',
        shard('1', 'events-0', headers.events, `1,,7,x`, `${exact},,7,y`, `${exact},,7,z`),
        shard('1', 'eventparameters-0', headers.parameters, `${exact},a,1`, `1,b,2`),
        shard('1', 'eventparameters-1', headers.parameters, `${exact},a,3`),
      );
      assert.deepEqual(
        await rowsOf(
          pool,
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
      assert.deepEqual(await countsByFile(pool, loadId), {
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
      assert.deepEqual(await rowsOf(pool, 'event_parameter', 'session_id', 'ordinal', 'name'), [
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
        assert.deepEqual(await rowsOf(pool, 'event', 'name'), []);
        assert.deepEqual(await stagingTables(pool), []);
        const kept = await pool.query('select line from landfall.quarantine');
        assert.deepEqual(kept.rows, [{ line: '2' }]);
      }
      assert.deepEqual(await countsByFile(pool, loadId), {
        'events-0': [2, 2, 0, 0],
        'eventparameters-0': [1, 0, 1, 0],
      });
    });
  });

  it('of JSON and CSV in one load, as somebody may accept, are numbered after one another', async () => {
    const loadId = await stageJson(pool, '1', '7', 2);
    // As if the reader had staged it: an event of a CSV shard.
    await pool.query(`
      insert into ${stagingNames(loadId, 'event').table} (session_id, event_id, name, _file_id, _line)
      select 7, 1, 'csv', _file_id, 2 from ${stagingNames(loadId, 'session').table}`);
    await pool.query(`update landfall.load_file set rows_by_table = rows_by_table || '{"event": 3}'`);
    await publishJob(pool, '1', loadId);
    assert.deepEqual(await rowsOf(pool, 'event', 'ordinal', 'name', 'state_ordinal'), [
      ['1', 'json', '7'],
      ['2', 'json', '7'],
      ['3', 'csv', null],
    ]);
  });
});
