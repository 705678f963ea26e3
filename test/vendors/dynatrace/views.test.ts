import assert from 'node:assert/strict';

import { dynatrace } from '../../../vendors/dynatrace/vendor.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTablesOf } from '../create-tables.js';
import { putRows } from '../put-rows.js';
import { viewRows } from '../view-rows.js';

/** A name that has to be quoted: views must not depend on it, nor on the search_path. */
const schema = 'A "b" c';

const key = (session: string, start: string) => ({
  ...{ tenant_id: 't', user_session_id: session, start_time: `2026-11-${start}:00Z` },
});
const web = { application_type: 'WEB_APPLICATION', user_type: 'REAL_USER' };

const sessions = [
  // Split at midnight: two parts of one session, on two days.
  {
    ...key('long', '20T20:00'),
    ...web,
    internal_user_id: 'ann',
    part_number: 1,
    user_action_count: 200,
    has_error: true,
  },
  {
    ...key('long', '20T23:59'),
    ...web,
    internal_user_id: 'ann',
    part_number: 2,
    user_action_count: 30,
    has_crash: true,
  },
  { ...key('long', '21T00:00'), ...web, internal_user_id: 'ann', part_number: 3, user_action_count: 1 },
  {
    ...{
      ...key('bounce', '20T12:00'),
      ...web,
      internal_user_id: 'bob',
      user_action_count: 1,
      bounce: true,
      new_user: true,
    },
    ...{ duration: 1_500, user_experience_score: 'FRUSTRATED', total_error_count: 2 },
  },
  // An older document: no has_error.
  { ...key('old', '20T12:00'), ...web, internal_user_id: 'cat', total_error_count: 0, duration: 500 },
  { ...key('robot', '20T12:00'), application_type: 'WEB_APPLICATION', user_type: 'ROBOT' },
];

const action = (session: string, start: string, ordinal: number, more: object) => ({
  ...{ ...key(session, start), ordinal, application: 'shop', ...more },
});
const actions = [
  action('long', '20T20:00', 1, { apdex_category: 'SATISFIED', duration: 100, javascript_error_count: 1 }),
  action('long', '20T20:00', 2, { apdex_category: 'SATISFIED', duration: 300, has_crash: true }),
  action('long', '20T23:59', 1, { apdex_category: 'TOLERATING', action_start_time: '2026-11-21T00:10Z' }),
  action('bounce', '20T12:00', 1, { apdex_category: 'FRUSTRATED', error_count: 1, custom_error_count: null }),
  action('bounce', '20T12:00', 2, { apdex_category: 'UNKNOWN' }),
  action('old', '20T12:00', 1, { application: 'till', apdex_category: null }),
  // Its session was taken out by hand.
  action('gone', '21T12:00', 1, { apdex_category: 'SATISFIED' }),
];

const errors = [
  { ...key('long', '20T20:00'), ordinal: 1, application: 'shop', type: 'Error', name: 'x' },
  { ...key('long', '20T20:00'), ordinal: 2, application: 'shop', type: 'Error', name: 'x' },
  { ...key('bounce', '20T12:00'), ordinal: 1, application: 'shop', type: 'Error', name: 'x' },
  { ...key('bounce', '20T12:00'), ordinal: 2, application: 'shop', type: 'Crash', name: 'y' },
];

describe('the views of a Dynatrace source', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTablesOf(dynatrace, database.pool, schema);
    await putRows(database.pool, schema, 'user_session', sessions);
    await putRows(database.pool, schema, 'user_action', actions);
    await putRows(database.pool, schema, 'user_error', errors);
  });
  after(async () => database.drop());

  const rows = (view: string, columns: string, zone?: string): Promise<unknown[][]> =>
    viewRows(database.pool, schema, { view, columns, zone, orderBy: 4 });

  it('sessions by day: one that was split counts once, and its parts are told', async () => {
    const counts =
      'sessions, parts, users, new_user_sessions, bounces, error_sessions, crash_sessions, user_actions, errors';
    assert.deepEqual(await rows('daily_session', `date::text, user_type, ${counts}`), [
      ['2026-11-20', 'REAL_USER', '3', '4', '3', '1', '1', '2', '1', '231', '2'],
      ['2026-11-20', 'ROBOT', '1', '1', '0', '0', '0', '0', '0', '0', '0'],
      ['2026-11-21', 'REAL_USER', '1', '1', '1', '0', '0', '0', '0', '1', '0'],
    ]);
    const more = 'satisfied_parts, tolerated_parts, frustrated_parts, average_duration';
    assert.deepEqual(
      (await rows('daily_session', `date::text, user_type, tenant_id, application_type, ${more}`))[0],
      [...['2026-11-20', 'REAL_USER', 't', 'WEB_APPLICATION', '0', '0', '1', 1]],
    );
  });

  it('actions by application, on the day on which their session began', async () => {
    const columns =
      'date::text, application, sessions, users, user_actions, satisfied, tolerating, frustrated, apdex, crashed_actions, ' +
      'error_actions, average_duration';
    assert.deepEqual(await rows('daily_application', columns), [
      // (2 + 1 / 2) of the four that were judged.
      ['2026-11-20', 'shop', '2', '2', '5', '2', '1', '1', 0.625, '1', '2', 0.2],
      ['2026-11-20', 'till', '1', '1', '1', '0', '0', '0', null, '0', '0', null],
      ['2026-11-21', 'shop', '1', '0', '1', '1', '0', '0', 1, '0', '0', null],
    ]);
  });

  it('errors by application, type and name', async () => {
    assert.deepEqual(await rows('daily_error', 'date::text, application, type, name, errors, sessions'), [
      ['2026-11-20', 'shop', 'Crash', 'y', '1', '1'],
      ['2026-11-20', 'shop', 'Error', 'x', '3', '2'],
    ]);
  });

  it('days are UTC days, whatever the time zone of who asks', async () => {
    for (const view of ['daily_session', 'daily_application', 'daily_error']) {
      const columns = 'date::text, tenant_id, count(*) over (), row_to_json(v.*)::text';
      assert.deepEqual(
        await rows(`${view} v`, columns, 'Pacific/Auckland'),
        await rows(`${view} v`, columns, 'UTC'),
        view,
      );
    }
  });

  describe('properties of actions', () => {
    const columns = 'action_ordinal, type, property_ordinal, key, value, long_value, double_value';
    const of = async (properties: object): Promise<unknown[][]> => {
      const client = await database.pool.connect();
      try {
        await client.query('begin');
        await client.query(`truncate "A ""b"" c".user_action`);
        const row = { ...key('p', '20T12:00'), ordinal: 1, _file_id: 1, _line: 1, ...properties };
        await client.query(
          `insert into "A ""b"" c".user_action
           select * from jsonb_populate_record(null::"A ""b"" c".user_action, $1)`,
          [JSON.stringify(row)],
        );
        const { rows: found } = await client.query<unknown[]>({
          text: `select ${columns} from "A ""b"" c".user_action_property order by 1, 2, 3`,
          rowMode: 'array',
        });
        return found;
      } finally {
        await client.query('rollback');
        client.release();
      }
    };

    it('are rows, in their order, typed where they are numbers', async () => {
      assert.deepEqual(
        await of({
          string_properties: [
            { key: 'coupon', value: 'none' },
            { key: 'digits', value: '12' },
          ],
          long_properties: [{ key: 'items', value: 3 }],
          double_properties: [
            { key: 'total', value: 59.9 },
            { key: 'whole', value: 4.0 },
          ],
          date_properties: [{ key: 'due', value: '2026-12-01' }],
        }),
        [
          ['1', 'date', '1', 'due', '2026-12-01', null, null],
          ['1', 'double', '1', 'total', '59.9', null, 59.9],
          ['1', 'double', '2', 'whole', '4', '4', 4],
          ['1', 'long', '1', 'items', '3', '3', 3],
          ['1', 'string', '1', 'coupon', 'none', null, null],
          ['1', 'string', '2', 'digits', '12', null, null],
        ],
      );
    });

    it('of any form end no query: what is no number has none, and what is no list has no rows', async () => {
      assert.deepEqual(
        await of({
          string_properties: { key: 'a', value: 'b' },
          long_properties: [
            { key: 'masked', value: 'aa11' },
            { value: null },
            'text',
            null,
            [1],
            { key: 'b', value: true },
          ],
          double_properties: null,
          date_properties: 'x',
        }),
        [
          ['1', 'long', '1', 'masked', 'aa11', null, null],
          ['1', 'long', '2', null, null, null, null],
          ['1', 'long', '3', null, null, null, null],
          ['1', 'long', '4', null, null, null, null],
          ['1', 'long', '5', null, null, null, null],
          ['1', 'long', '6', 'b', 'true', null, null],
        ],
      );
    });

    it('that no type of ours holds keep their digits as text', async () => {
      const client = await database.pool.connect();
      try {
        const large = [
          '9223372036854775807',
          '9223372036854775808',
          '1e400',
          '-1e400',
          '1e-400',
          '-9223372036854775808',
        ];
        await client.query('begin');
        await client.query(`truncate "A ""b"" c".user_action`);
        await client.query(
          `insert into "A ""b"" c".user_action (tenant_id, user_session_id, start_time, ordinal, _file_id, _line, long_properties)
           values ('t', 'p', '2026-11-20', 1, 1, 1, $1)`,
          [`[${large.map((value) => `{"key": "k", "value": ${value}}`).join()}]`],
        );
        const { rows: found } = await client.query<unknown[]>({
          text: `select long_value, double_value, length(value) > 18 as whole
                 from "A ""b"" c".user_action_property order by property_ordinal`,
          rowMode: 'array',
        });
        assert.deepEqual(found, [
          ['9223372036854775807', 2 ** 63, true],
          [null, 2 ** 63, true],
          [null, null, true],
          [null, null, true],
          [null, null, true],
          ['-9223372036854775808', -(2 ** 63), true],
        ]);
      } finally {
        await client.query('rollback');
        client.release();
      }
    });
  });
});
