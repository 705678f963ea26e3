/** The rows that Landfall has to hold of sessions, unmasked: written out by hand, apart from its declarations. */

import type { Flag, Item, PurchaseLines, Session } from './session.js';

export const tableNames = [
  'session',
  'session_offer',
  'session_page_event',
  'session_custom_target',
  'session_view_line',
  'session_cart_line',
  'session_purchase',
  'session_purchase_item',
] as const;

export type TableName = (typeof tableNames)[number];

/**
 * Columns of a table but for Landfall's own, which begin with an underscore. What Postgres holds as bigint or numeric is
 * text here, as drivers give it, and an instant is in ISO 8601, UTC, with milliseconds; jsonb is what it holds.
 */
export type Row = Readonly<Record<string, unknown>>;

/** In the order in which the export has them. */
export type MonetateRows = Readonly<Record<TableName, readonly Row[]>>;

export type RowCounts = Readonly<Record<TableName, number>>;

/** Sessions of a file, and the day of its folder. */
export interface LandedSessions {
  readonly date: string;
  readonly sessions: readonly Session[];
}

/** A session that a later one of these has too takes the place of the earlier, in all tables. */
export function rowsOf(files: readonly LandedSessions[]): MonetateRows {
  const last = new Map<string, { readonly session: Session; readonly date: string }>();
  for (const { date, sessions } of files) {
    for (const session of sessions) last.set(session.session_id, { session, date });
  }
  const rows = byTable((): Row[] => []);
  for (const { session, date } of last.values()) {
    rows.session.push({ export_date: date, ...sessionRow(session) });
    for (const [table, children] of Object.entries(childrenOf(session))) {
      rows[table as TableName].push(
        ...children.map((row, index) => ({
          session_id: session.session_id,
          ordinal: String(index + 1),
          ...row,
        })),
      );
    }
  }
  return rows;
}

export function countRows(rows: MonetateRows): RowCounts {
  return byTable((name) => rows[name].length);
}

export function addCounts(one: RowCounts, other: RowCounts): RowCounts {
  return byTable((name) => one[name] + other[name]);
}

/** Of one session, in a tenth of the time that its rows take. */
export function countOf(session: Session): RowCounts {
  return {
    session: 1,
    session_offer: sizeOf(session.offers),
    session_page_event: sizeOf(session.page_event_ids),
    session_custom_target: Object.values(session.custom_targets ?? {}).reduce<number>(
      (sum, value) => sum + (Array.isArray(value) ? value.length : 1),
      0,
    ),
    session_view_line: sizeOf(session.view_lines),
    session_cart_line: sizeOf(session.cart_lines),
    session_purchase: sizeOf(session.purchases),
    session_purchase_item: Object.values(session.purchase_lines ?? {}).reduce(
      (sum, { items }) => sum + items.length,
      0,
    ),
  };
}

/** The sum of a column of numbers that have at most two decimals, in hundredths. */
export function hundredths(rows: readonly Row[], column: string): number {
  return rows.reduce((sum, row) => sum + Math.round(Number(row[column] ?? 0) * 100), 0);
}

export function byTable<T>(of: (name: TableName) => T): Record<TableName, T> {
  return Object.fromEntries(tableNames.map((name) => [name, of(name)])) as Record<TableName, T>;
}

function sessionRow(session: Session): Row {
  const { purchase_lines: lines } = session;
  return {
    session_id: session.session_id,
    account_id: text(session.account_id),
    guid: session.guid,
    customer_id: orNull(session.customer_id),
    customer_link: orNull(session.customer_link),
    start_time: instant(session.start_time),
    end_time: instant(session.end_time),
    time_on_site: session.time_on_site,
    time_on_site_ss: text(session.time_on_site_ss),
    session_count: text(session.session_count),
    is_closed: isTrue(session.is_closed),
    is_bounce: isTrue(session.is_bounce),
    has_stealth: isTrue(session.has_stealth),
    browser: session.browser,
    browser_version: session.browser_version,
    os: session.os,
    os_version: session.os_version,
    device_type: session.device_type,
    screen_width: text(session.screen_width),
    screen_height: text(session.screen_height),
    country_code: session.country_code,
    region: orNull(session.region),
    city: orNull(session.city),
    page_views: text(session.page_views),
    page_views_ss: text(session.page_views_ss),
    has_product_view: isTrue(session.has_product_view),
    product_view_count: text(session.product_view_count),
    has_cart: isTrue(session.has_cart),
    has_purchase: isTrue(session.has_purchase),
    purchase_count: text(session.purchase_count),
    purchase_value_ss: text(session.purchase_value_ss),
    session_value: text(session.session_value),
    session_value_ss: text(session.session_value_ss),
    has_new_customer: isTrue(session.has_new_customer),
    has_recommendation_impression: isTrue(session.has_recommendation_impression),
    has_recommendation_click: isTrue(session.has_recommendation_click),
    has_recommendation_cart: isTrue(session.has_recommendation_cart),
    has_recommendation_purchase: isTrue(session.has_recommendation_purchase),
    ...nestedFields(session),
    purchase_lines: orNull(lines),
    purchase_lines_truncated: isFull(lines) || Object.values(lines ?? {}).some(({ items }) => isFull(items)),
  };
}

function nestedFields(session: Session): Row {
  const names = [
    ...['offers', 'page_event_ids', 'custom_targets', 'view_lines', 'cart_lines', 'purchases'],
  ] as const satisfies readonly (keyof Session)[];
  return Object.fromEntries<unknown>(
    names.flatMap((name) => [
      [name, orNull(session[name])],
      [`${name}_truncated`, isFull(session[name])],
    ]),
  );
}

type Children = Readonly<Record<Exclude<TableName, 'session'>, readonly Row[]>>;

function childrenOf(session: Session): Children {
  return {
    session_offer: Object.entries(session.offers ?? {}).map(([id, ms]) => ({
      variant_id: id,
      first_seen: instant(ms),
    })),
    session_page_event: Object.entries(session.page_event_ids ?? {}).map(([id, ms]) => ({
      page_event_id: id,
      first_seen: instant(ms),
    })),
    session_custom_target: Object.entries(session.custom_targets ?? {}).flatMap(([id, value]) =>
      (Array.isArray(value) ? (value as readonly string[]) : [value]).map((one) => ({
        custom_target_id: id,
        value: one === null ? null : String(one),
      })),
    ),
    session_view_line: (session.view_lines ?? []).map(itemRow),
    session_cart_line: (session.cart_lines ?? []).map(itemRow),
    session_purchase: Object.entries(session.purchases ?? {}).map(([id, value]) => ({
      purchase_id: id,
      value: text(value),
    })),
    session_purchase_item: Object.entries(session.purchase_lines ?? {}).flatMap(purchaseItems),
  };
}

function purchaseItems([id, { time, total_value, items }]: [string, PurchaseLines]): Row[] {
  return items.map((item) => ({
    purchase_id: id,
    purchase_time: instant(time),
    purchase_total_value: text(total_value),
    ...itemRow(item),
  }));
}

function itemRow(item: Item): Row {
  return {
    product_id: item.product_id,
    sku: orNull(item.sku),
    time: item.time === undefined ? null : instant(item.time),
    unit_price: text(item.unit_price),
    quantity: text(item.quantity),
    total_value: text(item.total_value),
    item,
  };
}

/** "You should assume fields at or exceeding the size limit to be incomplete." */
function isFull(field: object | null | undefined): boolean {
  return sizeOf(field) >= 1_000;
}

function sizeOf(field: object | null | undefined): number {
  return Array.isArray(field) ? field.length : Object.keys(field ?? {}).length;
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

function isTrue(flag: Flag): boolean {
  return flag === 't';
}

function text(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}

function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}
