/**
 * The tables, and where their columns stand in the files. The DDL is in sql/001-tables.sql; a test holds the two against
 * each other. A line is a session with everything in it:
 *
 *     offers{}, page_event_ids{}, purchases{}    → session_offer, session_page_event, session_purchase
 *     custom_targets{}                           → session_custom_target
 *     cart_lines[], view_lines[]                 → session_cart_line, session_view_line
 *     purchase_lines{}.items[]                   → session_purchase_item
 *
 * The page describes 45 fields and gives the form of the first three; what the others hold is only told in words ("product
 * ID, SKU, and time for each item"), and whether a custom target's value is one or a list is not told at all. So of these
 * each item is kept whole, and lifted out of it is what stands there under a name that can only mean that. The fields
 * themselves are columns too.
 */

import type {
  Column,
  ColumnType,
  DocumentTable,
  EntriesColumn,
  Inherited,
  ItemColumn,
  ItemTable,
  PairTable,
  StoredType,
  ValueColumn,
} from '../table.js';

const column =
  (type: ColumnType) =>
  (name: string, field: string = name): Column => ({ name, type, field });
const text = column('text');
const whole = column('bigint');
const number = column('double precision');
/** `"t"` or `"f"`. */
const flag = column('boolean');
/** "Unix milliseconds". */
const instant = column('timestamptz');
const json = column('jsonb');
const exact = (name: string, field: string = name): ValueColumn => ({ name, type: 'numeric', field });

const ordinal = 'ordinal';
const ofSession: Inherited = { name: 'session_id', of: 'session_id' };
const numbered = { key: ordinal, ordinal, ofFile: [], inherits: [ofSession] } as const;

const pairs = (name: string, field: string, columns: readonly ValueColumn[]): PairTable => ({
  ...numbered,
  ...{ name, within: { field, as: 'map' }, columns },
});

/** Ways to write a name: `product_id`, `productId`, `productID`, `ProductId`, `product-id`, `productid` … */
function spellings(words: string): readonly string[] {
  const parts = words.split(' ');
  const capital = (word: string): string => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
  const pascal = parts.map(capital).join('');
  const camel = `${parts[0] ?? ''}${parts.slice(1).map(capital).join('')}`;
  const ways = [
    parts.join('_'),
    camel,
    pascal,
    parts.join('-'),
    parts.join(''),
    parts.join('_').toUpperCase(),
  ];
  return [...new Set(ways.flatMap((way) => [way, way.replace(/Id$/, 'ID')]))];
}

const lifted =
  (type: StoredType, ...names: readonly string[]) =>
  (name: string, of: ItemColumn['of'] = 'item'): ItemColumn => ({
    ...{ name, type, of },
    fields: names.flatMap(spellings),
  });
const time = lifted('timestamptz', 'time', 'timestamp');
const totalValue = lifted('numeric', 'total value', 'total');

const item: readonly ItemColumn[] = [
  lifted('text', 'product id', 'pid')('product_id'),
  lifted('text', 'sku', 'sku id')('sku'),
  time('time'),
  lifted('numeric', 'unit price', 'price')('unit_price'),
  lifted('numeric', 'quantity', 'qty')('quantity'),
  totalValue('total_value'),
  { name: 'item', type: 'jsonb', of: 'item' },
];

const lines = (name: string, field: string): ItemTable => ({
  ...numbered,
  ...{ name, within: { field, as: 'items' }, columns: item },
});

/** "Fields with fewer than 1,000 items are always complete, but you should assume fields at or exceeding the size limit to be incomplete." */
const sizeLimit = 1_000;
const truncated = (field: string): EntriesColumn => ({
  ...{ name: `${field}_truncated`, type: 'boolean', entriesOf: field, atLeast: sizeLimit },
});

/** A line of a file. */
export const session: DocumentTable = {
  name: 'session',
  key: 'session_id',
  ofFile: ['export_date'],
  columns: [
    text('session_id'),
    whole('account_id'),
    text('guid'),
    text('customer_id'),
    text('customer_link'),
    instant('start_time'),
    instant('end_time'),
    number('time_on_site'),
    exact('time_on_site_ss'),
    whole('session_count'),
    flag('is_closed'),
    flag('is_bounce'),
    flag('has_stealth'),
    text('browser'),
    text('browser_version'),
    text('os'),
    text('os_version'),
    text('device_type'),
    whole('screen_width'),
    whole('screen_height'),
    text('country_code'),
    text('region'),
    text('city'),
    whole('page_views'),
    exact('page_views_ss'),
    flag('has_product_view'),
    whole('product_view_count'),
    flag('has_cart'),
    flag('has_purchase'),
    whole('purchase_count'),
    exact('purchase_value_ss'),
    exact('session_value'),
    exact('session_value_ss'),
    flag('has_new_customer'),
    flag('has_recommendation_impression'),
    flag('has_recommendation_click'),
    flag('has_recommendation_cart'),
    flag('has_recommendation_purchase'),
    json('offers'),
    truncated('offers'),
    json('page_event_ids'),
    truncated('page_event_ids'),
    json('custom_targets'),
    truncated('custom_targets'),
    json('view_lines'),
    truncated('view_lines'),
    json('cart_lines'),
    truncated('cart_lines'),
    json('purchases'),
    truncated('purchases'),
    json('purchase_lines'),
    // "The purchase_lines field is doubly nested, and each value has the items field, which is variable-size."
    { ...truncated('purchase_lines'), orOfEach: 'items' },
  ],
  nested: [
    pairs('session_offer', 'offers', [text('variant_id', 'key'), instant('first_seen', 'value')]),
    pairs('session_page_event', 'page_event_ids', [
      text('page_event_id', 'key'),
      instant('first_seen', 'value'),
    ]),
    {
      ...numbered,
      name: 'session_custom_target',
      within: { field: 'custom_targets', as: 'values' },
      columns: [
        { name: 'custom_target_id', type: 'text', of: 'key' },
        { name: 'value', type: 'text', of: 'item' },
      ],
    },
    lines('session_view_line', 'view_lines'),
    lines('session_cart_line', 'cart_lines'),
    pairs('session_purchase', 'purchases', [text('purchase_id', 'key'), exact('value')]),
    {
      ...numbered,
      name: 'session_purchase_item',
      within: { field: 'purchase_lines', as: 'items', each: 'items' },
      columns: [
        { name: 'purchase_id', type: 'text', of: 'outer key' },
        time('purchase_time', 'outer'),
        totalValue('purchase_total_value', 'outer'),
        ...item,
      ],
    },
  ],
};

/** A column of a table in Postgres, before those that every table has. */
export interface StoredColumn {
  readonly name: string;
  readonly type: StoredType | 'date';
}

/** A table with all its columns, and those of its primary key. */
export interface StoredTable {
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  readonly key: readonly string[];
}

/** Every table that files fill. */
export const storedTables: readonly [StoredTable, ...StoredTable[]] = [
  {
    name: session.name,
    columns: [{ name: 'export_date', type: 'date' }, ...session.columns.map(stored)],
    key: [session.key],
  },
  ...session.nested.map(({ name, columns }) => ({
    name,
    columns: [
      { name: ofSession.name, type: 'text' as const },
      { name: ordinal, type: 'bigint' as const },
      ...columns.map(stored),
    ],
    key: [ofSession.name, ordinal],
  })),
];

function stored({ name, type }: StoredColumn): StoredColumn {
  return { name, type };
}

const names: readonly StoredColumn[] = [
  { name: 'first_seen', type: 'timestamptz' },
  { name: 'last_seen', type: 'timestamptz' },
  { name: 'gone_at', type: 'timestamptz' },
  { name: 'asked_at', type: 'timestamptz' },
];
const texts = (...columns: readonly string[]): StoredColumn[] =>
  columns.map((name) => ({ name, type: 'text' }));
const flags = (...columns: readonly string[]): StoredColumn[] =>
  columns.map((name) => ({ name, type: 'boolean' }));

/** Tables that the metadata API fills: what ids are called. named-tables.ts says which ids these are. */
export const nameTables: readonly StoredTable[] = [
  {
    name: 'variant',
    columns: [
      ...texts('variant_id', 'variant_name', 'variant_description'),
      ...texts('experience_id', 'experience_name', 'experience_type', 'integration_type', 'account_domain'),
      ...names,
    ],
    key: ['variant_id'],
  },
  { name: 'page_event', columns: [...texts('page_event_id', 'title'), ...names], key: ['page_event_id'] },
  {
    name: 'custom_target',
    columns: [
      ...texts('custom_target_id', 'title', 'description'),
      ...flags('is_identifier', 'collects_person_id'),
      ...names,
    ],
    key: ['custom_target_id'],
  },
];
