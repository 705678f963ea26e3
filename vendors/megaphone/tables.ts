/**
 * Columns of the three tables. The DDL is in sql/001-tables.sql; a test holds the two against each other.
 *
 * Of metrics the vendor's page lists the fields, of impressions a part. Types come from real rows and from programs that
 * read them. Where nothing tells the type the column is text, which no value fails to fit.
 */

import type { Column, ColumnType, Table } from '../table.js';

const column =
  (type: ColumnType) =>
  (name: string): Column => ({ name, type, field: name });
const text = column('text');
const timestamp = column('timestamptz');
const whole = column('bigint');
const number = column('double precision');
const flag = column('boolean');

/** "Fields within existing metrics may change, with their IDs remaining constant". */
const metric: Table = {
  name: 'metric',
  key: 'id',
  ofFile: ['export_date'],
  columns: [
    text('id'),
    timestamp('created_at'),
    text('podcast_id'),
    text('episode_id'),
    text('country'),
    text('region'),
    text('city'),
    text('dma_name'),
    // 32 hex digits, a hash: no inet.
    text('ip'),
    text('user_agent'),
    text('normalized_user_agent'),
    whole('source'),
    whole('filesize'),
    whole('bytes_sent'),
    whole('seconds_downloaded'),
    number('duration'),
    flag('blacklisted_ip'),
    flag('blacklisted_ua'),
  ],
};

const impressionColumns: readonly Column[] = [
  text('metric_id'),
  timestamp('created_at'),
  text('network_id'),
  text('organization_id'),
  text('podcast_id'),
  text('episode_id'),
  text('advertisement_id'),
  text('order_id'),
  flag('order_downloaded'),
  text('ad_source'),
  text('type'),
  whole('position'),
  text('normalized_user_agent'),
  whole('seconds_downloaded'),
  whole('bytes_sent'),
  whole('byte_offset'),
  text('byte_position'),
  text('byte_type'),
  flag('blacklisted_ip'),
  flag('blacklisted_ua'),
];

/** Impressions have no id of their own, and one metric has many: a row is its line. */
const impression: Table = {
  name: 'impression',
  key: '_line',
  ofFile: ['export_date'],
  columns: impressionColumns,
};

/** Of the second version's fields only one more is public; others of a file go to `_extra`. */
const impressionV2: Table = {
  name: 'impression_v2',
  key: '_line',
  ofFile: ['export_date'],
  columns: [...impressionColumns, text('impression_type')],
};

/** By what a configuration calls the type. */
export const megaphoneTables = {
  metrics: metric,
  impressions: impression,
  'impressions-v2': impressionV2,
} as const;

export type MegaphoneType = keyof typeof megaphoneTables;
