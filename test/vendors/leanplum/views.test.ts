import assert from 'node:assert/strict';

import { leanplum } from '../../../vendors/leanplum/vendor.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTablesOf } from '../create-tables.js';
import { putRows } from '../put-rows.js';
import { viewRows } from '../view-rows.js';

/** A name that has to be quoted: views must not depend on it, nor on the search_path. */
const schema = 'A "b" c';
const message = '.m6678706135760896';

/** Los Angeles leaves standard time on 2026-03-08, which has 23 hours there, and returns to it on 2026-11-01, with 25. */
const sessions = [
  { session_id: 1, user_id: 'ann', time: '2026-03-08T07:59:59.999Z', duration: 10 },
  {
    session_id: 2,
    user_id: 'ann',
    time: '2026-03-08T08:00Z',
    first_run: '2026-03-08T07:59:59.999Z',
    duration: 20,
  },
  { session_id: 3, user_id: 'bob', time: '2026-03-09T06:59:59.999Z', duration: 30 },
  { session_id: 4, user_id: 'bob', time: '2026-03-09T07:00Z', first_run: '2026-03-09T06:59:59.999Z' },
  { session_id: 5, user_id: 'cat', time: '2026-03-08T12:00Z', is_session: false, duration: 0 },
  { session_id: 6, user_id: 'dan', time: '2026-03-08T12:00Z', is_session: null, duration: 5 },
  {
    session_id: 7,
    user_id: 'ann',
    time: '2026-11-01T07:00Z',
    first_run: '2026-03-08T07:59:59.999Z',
    duration: 1,
  },
  {
    session_id: 8,
    user_id: 'cat',
    time: '2026-11-02T07:59:59.999Z',
    first_run: '2026-03-08T12:00Z',
    duration: 2,
  },
  { session_id: 9, user_id: 'cat', time: '2026-11-02T08:00Z', first_run: '2026-03-08T12:00Z', duration: 4 },
].map((row) => ({ is_session: true, first_run: row.time, ...row }));

const events = [
  // Messages are sent outside of sessions.
  { session_id: 5, ordinal: 1, name: message, time: '2026-03-08T07:30Z' },
  { session_id: 5, ordinal: 2, name: 'Purchase', time: '2026-03-09T06:30Z', value: 4.5 },
  { session_id: 1, ordinal: 1, name: `${message} View`, time: '2026-03-08T07:59:59.999Z' },
  { session_id: 1, ordinal: 2, name: 'Purchase', time: '2026-03-08T07:59:59Z', value: 10 },
  { session_id: 2, ordinal: 1, name: `${message} View`, time: '2026-03-08T08:00Z' },
  { session_id: 2, ordinal: 2, name: `${message} Held Back`, time: '2026-03-08T08:00:01Z' },
  { session_id: 3, ordinal: 1, name: 'Purchase', time: '2026-03-09T06:59:59.999Z' },
  // Its session was refused as a bad row.
  { session_id: 99, ordinal: 1, name: 'Purchase', time: '2026-03-09T07:00Z', value: 1 },
];

describe("the vendor's counts of Leanplum sessions", function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTablesOf(leanplum, database.pool, schema);
    await putRows(database.pool, schema, 'session', sessions);
    await putRows(database.pool, schema, 'event', events);
  });
  after(async () => database.drop());

  const rows = (view: string, columns: string, zone?: string): Promise<unknown[][]> =>
    viewRows(database.pool, schema, { view, columns, zone });

  const measures = 'sessions, users, first_time_users, average_duration';

  it('sessions by UTC day', async () => {
    assert.deepEqual(await rows('daily_session', `date::text, ${measures}`), [
      ['2026-03-08', '2', '1', '1', 15],
      ['2026-03-09', '2', '1', '1', 30],
      ['2026-11-01', '1', '1', '0', 1],
      ['2026-11-02', '2', '1', '0', 3],
    ]);
  });

  it('sessions by Pacific day, over both changes of the clocks', async () => {
    assert.deepEqual(await rows('daily_session_pacific', `pacific_date::text, ${measures}`), [
      ['2026-03-07', '1', '1', '1', 10],
      // 23 hours: from 08:00Z to 07:00Z. Ann's first session was the day before.
      ['2026-03-08', '2', '2', '1', 25],
      ['2026-03-09', '1', '1', '0', null],
      // 25 hours: from 07:00Z to 08:00Z.
      ['2026-11-01', '2', '2', '0', 1.5],
      ['2026-11-02', '1', '1', '0', 4],
    ]);
  });

  it('events by UTC day, those outside of sessions too', async () => {
    assert.deepEqual(await rows('daily_event', 'date::text, name, events, users, value'), [
      ['2026-03-08', message, '1', '1', null],
      ['2026-03-08', `${message} Held Back`, '1', '1', null],
      ['2026-03-08', `${message} View`, '2', '1', null],
      ['2026-03-08', 'Purchase', '1', '1', 10],
      ['2026-03-09', 'Purchase', '3', '2', 5.5],
    ]);
  });

  it('events by Pacific day', async () => {
    assert.deepEqual(await rows('daily_event_pacific', 'pacific_date::text, name, events, users, value'), [
      ['2026-03-07', message, '1', '1', null],
      ['2026-03-07', `${message} View`, '1', '1', null],
      ['2026-03-07', 'Purchase', '1', '1', 10],
      ['2026-03-08', `${message} Held Back`, '1', '1', null],
      ['2026-03-08', `${message} View`, '1', '1', null],
      ['2026-03-08', 'Purchase', '2', '2', 4.5],
      ['2026-03-09', 'Purchase', '1', '0', 1],
    ]);
  });

  it('purchases', async () => {
    assert.deepEqual(await rows('daily_purchase', 'date::text, purchases, users, revenue'), [
      ['2026-03-08', '1', '1', 10],
      ['2026-03-09', '3', '2', 5.5],
    ]);
    assert.deepEqual(await rows('daily_purchase_pacific', 'pacific_date::text, purchases, users, revenue'), [
      ['2026-03-07', '1', '1', 10],
      ['2026-03-08', '2', '2', 4.5],
      ['2026-03-09', '1', '0', 1],
    ]);
  });

  it('messages by day and action', async () => {
    const id = '6678706135760896';
    assert.deepEqual(await rows('daily_message', 'date::text, message_id, action, events, users'), [
      ['2026-03-08', id, 'Held Back', '1', '1'],
      ['2026-03-08', id, 'Sent', '1', '1'],
      ['2026-03-08', id, 'View', '2', '1'],
    ]);
    assert.deepEqual(
      await rows('daily_message_pacific', 'pacific_date::text, message_id, action, events, users'),
      [
        ['2026-03-07', id, 'Sent', '1', '1'],
        ['2026-03-07', id, 'View', '1', '1'],
        ['2026-03-08', id, 'Held Back', '1', '1'],
        ['2026-03-08', id, 'View', '1', '1'],
      ],
    );
  });

  it('message_event has an event of a message each, with its user and day', async () => {
    const columns = 'session_id, ordinal, message_id, action, user_id, pacific_date::text, name';
    const id = '6678706135760896';
    assert.deepEqual(await rows('message_event', columns), [
      ['1', '1', id, 'View', 'ann', '2026-03-07', `${message} View`],
      ['2', '1', id, 'View', 'ann', '2026-03-08', `${message} View`],
      ['2', '2', id, 'Held Back', 'ann', '2026-03-08', `${message} Held Back`],
      ['5', '1', id, 'Sent', 'cat', '2026-03-07', message],
    ]);
  });

  it("the reader's time zone changes nothing", async () => {
    for (const view of ['daily_session', 'daily_event', 'daily_purchase', 'daily_message']) {
      for (const name of [view, `${view}_pacific`]) {
        assert.deepEqual(await rows(name, '*', 'Asia/Tokyo'), await rows(name, '*'), name);
      }
    }
  });

  it('events are counted without their sessions where nobody asks for users', async () => {
    for (const view of ['daily_event', 'daily_purchase', 'daily_message']) {
      const { rows: plan } = await database.pool.query<{ 'QUERY PLAN': string }>(
        `explain select * from (select 1 from "A ""b"" c".${view}) x`,
      );
      assert.ok(!plan.some((line) => /Join| on session /.test(line['QUERY PLAN'])), view);
    }
  });

  it('tells names of messages from others', async () => {
    const names: readonly (readonly [string | null, string | null, string | null])[] = [
      ['.m1', '1', 'Sent'],
      ['.m1 Open', '1', 'Open'],
      ['.m9223372036854775807 View', '9223372036854775807', 'View'],
      // Counted, though the id is none.
      ['.m99999999999999999999 View', null, 'View'],
      ['.m View', null, null],
      ['.m12x View', null, null],
      ['.mx', null, null],
      ['m12 View', null, null],
      ['x .m12 View', null, null],
      ['Purchase', null, null],
      [null, null, null],
    ];
    const other = await testDatabase();
    try {
      await createTablesOf(leanplum, other.pool, 'names');
      const list = names.map(([name], index) => ({ session_id: 1, ordinal: index + 1, name }));
      await putRows(other.pool, 'names', 'event', list);
      const { rows: found } = await other.pool.query<Record<string, string | null>>(
        'select name, message_id, action from names.message_event order by ordinal',
      );
      assert.deepEqual(
        found.map(({ name, message_id: id, action }) => [name, id, action]),
        names.filter(([, , action]) => action !== null),
      );
      const { rows: counted } = await other.pool.query(
        'select date, sum(events) from names.daily_event group by 1',
      );
      assert.deepEqual(counted, [{ date: null, sum: String(names.length) }]);
    } finally {
      await other.drop();
    }
  });
});
