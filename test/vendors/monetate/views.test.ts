import assert from 'node:assert/strict';

import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { viewRows } from '../view-rows.js';
import { createTables, putRows } from './rows.js';

/** A name that has to be quoted: views are bound to their schema when they are made. */
const schema = 'A "b" c';

const sessions = [
  // Began on the 20th, came with the files of the 21st.
  {
    ...{ session_id: 'a', account_id: 1, guid: '1:ann', export_date: '2026-11-21' },
    ...{
      start_time: '2026-11-20T23:59:59.999Z',
      end_time: '2026-11-21T00:20Z',
      is_bounce: false,
      page_views: 5,
    },
    ...{ has_purchase: true, purchase_count: 2, session_value: 59.9, offers_truncated: true },
  },
  {
    ...{ session_id: 'b', account_id: 1, guid: '1:ann', start_time: '2026-11-20T10:00Z' },
    ...{ end_time: '2026-11-20T10:01Z', is_bounce: true, page_views: 1, has_new_customer: true },
    cart_lines_truncated: false,
  },
  {
    session_id: 'c',
    account_id: 2,
    guid: '2:bob',
    start_time: '2026-11-21T00:00Z',
    has_cart: true,
    page_views: 2,
  },
];

describe('the views of Monetate sessions', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    const put = async (table: string, rows: readonly Record<string, unknown>[]): Promise<void> =>
      putRows(database.pool, schema, table, rows);
    await createTables(database.pool, schema);
    await put('session', sessions);
    await put('session_offer', [
      { session_id: 'a', ordinal: 1, variant_id: '98765' },
      { session_id: 'a', ordinal: 2, variant_id: '1' },
      { session_id: 'b', ordinal: 1, variant_id: '98765' },
      { session_id: 'lost', ordinal: 1, variant_id: '2' },
    ]);
    await put('session_page_event', [
      { session_id: 'a', ordinal: 1, page_event_id: '77' },
      { session_id: 'c', ordinal: 1, page_event_id: '78' },
    ]);
    await put('session_custom_target', [
      { session_id: 'a', ordinal: 1, custom_target_id: '11', value: 'x' },
      { session_id: 'a', ordinal: 2, custom_target_id: '12', value: 'gold' },
      { session_id: 'a', ordinal: 3, custom_target_id: '12', value: 'blue' },
    ]);
    await put('session_purchase', [
      { session_id: 'a', ordinal: 1, purchase_id: 'o-1', value: 29.95 },
      { session_id: 'a', ordinal: 2, purchase_id: 'o-2', value: 29.95 },
    ]);
    const bought = { session_id: 'a', purchase_time: '2026-11-21T00:10Z', purchase_total_value: 30 };
    await put('session_purchase_item', [
      { ...bought, ordinal: 1, purchase_id: 'o-1', quantity: 2 },
      { ...bought, ordinal: 2, purchase_id: 'o-1', quantity: 1 },
      { ...bought, ordinal: 3, purchase_id: 'o-3' },
    ]);
    await put('variant', [
      {
        variant_id: '98765',
        variant_name: 'A',
        experience_id: '5',
        experience_name: 'Banner',
        experience_type: 'test',
      },
      // The API was asked for it and has never had it.
      { variant_id: '2', first_seen: null, last_seen: null, gone_at: '2026-11-21T14:00Z' },
    ]);
    await put('page_event', [{ page_event_id: '77', title: 'Signed up' }]);
    await put('custom_target', [{ custom_target_id: '11', title: 'Mail', is_identifier: true }]);
  });
  after(async () => database.drop());

  const rows = (view: string, columns: string, zone?: string): Promise<unknown[][]> =>
    viewRows(database.pool, schema, { view, columns, zone });

  it('offers have the names that are known, and none is lost for want of one', async () => {
    const columns =
      'session_id, ordinal, date::text, variant_id, variant_name, experience_id, experience_name';
    assert.deepEqual(await rows('offer', columns), [
      ['a', '1', '2026-11-20', '98765', 'A', '5', 'Banner'],
      ['a', '2', '2026-11-20', '1', null, null, null],
      ['b', '1', '2026-11-20', '98765', 'A', '5', 'Banner'],
      ['lost', '1', null, '2', null, null, null],
    ]);
  });

  it('so do page events and custom targets', async () => {
    assert.deepEqual(await rows('page_event_seen', 'session_id, page_event_id, title'), [
      ['a', '77', 'Signed up'],
      ['c', '78', null],
    ]);
    assert.deepEqual(
      await rows('custom_target_value', 'custom_target_id, ordinal, title, is_identifier, value'),
      [
        ['11', '1', 'Mail', true, 'x'],
        ['12', '2', null, null, 'gold'],
        ['12', '3', null, null, 'blue'],
      ],
    );
  });

  it('purchases show whichever of their two fields has them', async () => {
    const columns = 'purchase_id, session_id, date::text, value, items, quantity, time';
    const time = new Date('2026-11-21T00:10Z');
    assert.deepEqual(await rows('purchase', columns), [
      ['o-1', 'a', '2026-11-20', '29.95', '2', '3', time],
      ['o-2', 'a', '2026-11-20', '29.95', '0', null, null],
      ['o-3', 'a', '2026-11-20', '30', '1', null, time],
    ]);
  });

  it('sessions count by account, on the UTC day on which they began, whatever file they came in', async () => {
    const columns =
      'account_id, date::text, sessions, visitors, bounces, new_customer_sessions, page_views, cart_sessions, ' +
      'purchase_sessions, purchases, revenue, truncated_sessions';
    assert.deepEqual(await rows('daily_session', columns), [
      ['1', '2026-11-20', '2', '1', '1', '1', '6', '0', '1', '2', '59.9', '1'],
      ['2', '2026-11-21', '1', '1', '0', '0', '2', '1', '0', '0', '0', '0'],
    ]);
  });

  it('variants and page events by day', async () => {
    const columns =
      'date::text, variant_id, variant_name, sessions, bounces, purchase_sessions, purchases, revenue';
    assert.deepEqual(await rows('daily_variant', columns), [
      ['2026-11-20', '1', null, '1', '0', '1', '2', '59.9'],
      ['2026-11-20', '98765', 'A', '2', '1', '1', '2', '59.9'],
      [null, '2', null, '1', '0', '0', '0', '0'],
    ]);
    assert.deepEqual(await rows('daily_page_event', 'date::text, page_event_id, title, sessions'), [
      ['2026-11-20', '77', 'Signed up', '1'],
      ['2026-11-21', '78', null, '1'],
    ]);
  });

  it('ids without a name, also those that the API says there are none of', async () => {
    assert.deepEqual(await rows('unnamed_id', 'kind, id, sessions, gone_at is not null'), [
      ['custom_target', '12', '1', false],
      ['page_event', '78', '1', false],
      ['variant', '1', '1', false],
      ['variant', '2', '1', true],
    ]);
  });

  it("the reader's time zone changes nothing", async () => {
    for (const view of ['daily_session', 'daily_variant', 'daily_page_event', 'offer', 'purchase']) {
      assert.deepEqual(await rows(view, '*', 'Asia/Tokyo'), await rows(view, '*'), view);
    }
  });
});
