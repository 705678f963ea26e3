import assert from 'node:assert/strict';

import { nameTables, session, storedTables } from '../../../vendors/monetate/tables.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { columnsOf, expected, ours, silentIn, tableOf } from '../catalog.js';
import { createTables, putRows } from './rows.js';
import { unfold, type Row } from './unfold.js';

/** The fields of the vendor's page, in its order. */
const described =
  'account_id browser browser_version cart_lines city country_code custom_targets customer_id customer_link device_type ' +
  'end_time guid has_cart has_new_customer has_product_view has_purchase has_recommendation_cart ' +
  'has_recommendation_click has_recommendation_impression has_recommendation_purchase has_stealth is_bounce is_closed ' +
  'offers os os_version page_event_ids page_views page_views_ss product_view_count purchase_count purchase_lines ' +
  'purchase_value_ss purchases region screen_height screen_width session_count session_id session_value ' +
  'session_value_ss start_time time_on_site time_on_site_ss view_lines';

/** Made up after the page; the inner names of lines are guesses, each spelled in another way. */
const line = {
  session_id: '1234:2.55:1:1795169400000:1795170000000',
  guid: '1234:2.55',
  account_id: 1234,
  ...{ start_time: 1795169400123, end_time: 1795170000000, time_on_site: 600, time_on_site_ss: 360000 },
  ...{ session_count: 1, is_closed: 't', is_bounce: 'f', has_purchase: 't', has_stealth: 'f' },
  ...{ page_views: 7, page_views_ss: 49, purchase_count: 1, session_value: 59.9, session_value_ss: 3588.01 },
  purchase_value_ss: 3588.01,
  offers: { '98765': 1795169401000, '54322': 1795169402000 },
  page_event_ids: { '77': 1795169403000 },
  custom_targets: { '11': 'ann@example.com', '12': ['gold', 3], '13': true, '14': null, '15': [] },
  view_lines: [
    { product_id: 'p-1', time: 1795169404000 },
    { productId: 22, timestamp: '2026-11-20T10:10:05Z' },
  ],
  cart_lines: [
    { ProductID: 'p-1', SKU: 's-1', time: 1795169406000, price: '29.95', qty: 2, colour: 'red' },
    'p-9',
    null,
  ],
  purchases: { 'o-1': 59.9 },
  purchase_lines: {
    'o-1': {
      ...{ total_value: 59.9, time: 1795169900000 },
      items: [{ product_id: 'p-1', sku: 's-1', unit_price: 29.95, quantity: 2 }],
    },
    'o-2': { time: 'yesterday', items: { a: { pid: 'p-2', unit_price: 'free' } } },
    'o-3': 'nothing',
  },
};

describe('the tables of a Monetate source', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTables(database.pool, 'visits');
  });
  after(async () => database.drop());

  const found = async (sql: string): Promise<unknown[][]> =>
    (await database.pool.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;

  it('are eight of files and three of names', () => {
    assert.deepEqual(
      [...storedTables, ...nameTables].map(({ name }) => name),
      [
        ...['session', 'session_offer', 'session_page_event', 'session_custom_target', 'session_view_line'],
        ...['session_cart_line', 'session_purchase', 'session_purchase_item'],
        ...['variant', 'page_event', 'custom_target'],
      ],
    );
  });

  it('have a column for every field that the vendor describes, and a flag for every one that may be cut', () => {
    const fields = session.columns.flatMap((column) => ('field' in column ? [column.field] : []));
    assert.deepEqual([...fields].sort(), described.split(' ').sort());
    assert.equal(fields.length, 45);
    const nested = session.columns.filter(({ type }) => type === 'jsonb').map(({ name }) => name);
    assert.deepEqual(
      session.columns.flatMap((column) =>
        'entriesOf' in column ? [[column.entriesOf, column.atLeast]] : [],
      ),
      nested.map((name) => [name, 1_000]),
    );
    assert.deepEqual(
      [...new Set(session.nested.map(({ within }) => within.field))].sort(),
      [...nested].sort(),
    );
  });

  for (const table of [...storedTables, ...nameTables]) {
    const ofFiles = storedTables.includes(table);

    it(`${table.name} has its columns, all but the key nullable`, async () => {
      const always = [...table.key, 'export_date', ...(ofFiles ? [] : ['asked_at'])];
      assert.deepEqual(await columnsOf(database.pool, 'visits', table.name), [
        ...expected(table.columns, always),
        ...(ofFiles ? ours : []),
      ]);
    });

    it(`${table.name} has a key${ofFiles ? ', an index of files,' : ''} and no other`, async () => {
      const there = await tableOf(database.pool, 'visits', table.name);
      const on = `ON visits.${table.name} USING`;
      const indexes = [
        `CREATE UNIQUE INDEX ${table.name}_pkey ${on} btree (${table.key.join(', ')})`,
        ...(ofFiles
          ? [`CREATE INDEX ${table.name}_file ${on} brin (_file_id) WITH (autosummarize='on')`]
          : []),
      ];
      assert.deepEqual(there, { partitions: null, indexes, foreignKeys: 0 });
    });
  }

  it('everything says what it is: tables, views and their columns have comments', async () => {
    assert.deepEqual(await silentIn(database.pool, 'visits'), []);
  });

  describe('a session with everything in it', () => {
    before(async () => {
      for (const [table, rows] of unfold(session, line)) await putRows(database.pool, 'visits', table, rows);
    });

    it('has its flags as booleans, its squares and its money exact, and its fields as they came', async () => {
      const columns =
        'account_id, is_closed, is_bounce, has_cart, time_on_site_ss, session_value, session_value_ss, start_time, ' +
        "offers_truncated, purchase_lines_truncated, offers ->> '98765', custom_targets -> '12'";
      assert.deepEqual(await found(`select ${columns} from visits.session`), [
        [
          ...['1234', true, false, null, '360000', '59.9', '3588.01', new Date(1795169400123)],
          ...[false, false, '1795169401000', ['gold', 3]],
        ],
      ]);
    });

    it('offers, page events and purchases', async () => {
      assert.deepEqual(
        await found(
          `select ordinal, variant_id, first_seen from visits.session_offer order by variant_id desc`,
        ),
        [
          ['2', '98765', new Date(1795169401000)],
          ['1', '54322', new Date(1795169402000)],
        ],
      );
      assert.deepEqual(await found('select page_event_id, first_seen from visits.session_page_event'), [
        ['77', new Date(1795169403000)],
      ]);
      assert.deepEqual(await found('select purchase_id, value from visits.session_purchase'), [
        ['o-1', '59.9'],
      ]);
    });

    it('custom targets, whether their value is one or a list', async () => {
      const sql =
        'select ordinal, custom_target_id, value from visits.session_custom_target order by ordinal';
      assert.deepEqual(await found(sql), [
        ['1', '11', 'ann@example.com'],
        ['2', '12', 'gold'],
        ['3', '12', '3'],
        ['4', '13', 'true'],
        ['5', '14', null],
      ]);
    });

    const lifted = 'product_id, sku, time, unit_price, quantity, total_value';

    it('what was viewed and carted: whole, and lifted where a name can only mean it', async () => {
      assert.deepEqual(await found(`select ordinal, ${lifted} from visits.session_view_line order by 1`), [
        ['1', 'p-1', null, new Date(1795169404000), null, null, null],
        ['2', '22', null, new Date('2026-11-20T10:10:05Z'), null, null, null],
      ]);
      assert.deepEqual(
        await found(`select ordinal, ${lifted}, item from visits.session_cart_line order by 1`),
        [
          ['1', 'p-1', 's-1', new Date(1795169406000), '29.95', '2', null, line.cart_lines[0]],
          // Neither fits, and both are there.
          ['2', null, null, null, null, null, null, 'p-9'],
          ['3', null, null, null, null, null, null, null],
        ],
      );
    });

    it('what was purchased, two levels deep, in whatever form', async () => {
      const columns = `ordinal, purchase_id, purchase_time, purchase_total_value, ${lifted}`;
      assert.deepEqual(await found(`select ${columns} from visits.session_purchase_item order by 1`), [
        ['1', 'o-1', new Date(1795169900000), '59.9', 'p-1', 's-1', null, '29.95', '2', null],
        ['2', 'o-2', null, null, 'p-2', null, null, null, null, null],
      ]);
    });
  });

  describe('a field that is to be taken for incomplete', () => {
    const flags = (more: Row): Row => unfold(session, { session_id: 's', ...more }).get('session')![0]!;
    const many = (count: number): Row =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));

    it('has 1,000 entries or more, in a list or an object', () => {
      for (const { name, type } of session.columns) {
        if (type !== 'jsonb') continue;
        const flag = `${name}_truncated`;
        assert.equal(flags({ [name]: many(999) })[flag], false, name);
        assert.equal(flags({ [name]: many(1_000) })[flag], true, name);
        assert.equal(flags({ [name]: Object.values(many(1_003)) })[flag], true, name);
        assert.equal(flags({})[flag], false, name);
      }
    });

    it('or a purchase with so many items', () => {
      const withItems = (items: unknown): unknown =>
        flags({ purchase_lines: { a: { items: [] }, b: { items } } })['purchase_lines_truncated'];
      assert.equal(withItems(Object.values(many(1_000))), true);
      assert.equal(withItems(Object.values(many(999))), false);
      assert.equal(withItems('none'), false);
    });
  });
});
