/** Partitions that hold all days of a month. */

import pg from 'pg';

import { beginsMonth, daysOfMonth, monthOf } from './day-layout.js';
import { tableNames } from './names.js';
import { ofOneDay, partitionOf, partitionsOf } from './partitions.js';
import { lockLayout } from './table-lock.js';
import type { Target } from './target.js';
import { transaction } from './transaction.js';

/** Name of a month's partition, and of its primary key; not qualified, not quoted. */
export function monthNames(table: string, month: string): { readonly name: string; readonly key: string } {
  const name = `${table}_${month.replace('-', '_')}`;
  return { name, key: `${name}_pkey` };
}

/** Days as a list of SQL literals. */
export function literals(days: readonly string[]): string {
  return days.map((day) => pg.escapeLiteral(day)).join(', ');
}

/** Makes an empty partition for the month of a target's day, unless another step has made a partition for the day since. */
export async function createMonth(pool: pg.Pool, { schema, tables, date }: Target): Promise<void> {
  const [{ name: table, key }] = tables;
  const parent = tableNames(schema, table, date).table;
  const month = monthNames(table, monthOf(date));
  await transaction(pool, async (client) => {
    await lockLayout(client, parent);
    const partitions = await partitionsOf(client, parent);
    const days = ofOneDay(partitions).flatMap((partition) => partition.days);
    if (partitionOf(partitions, date) || !beginsMonth(date, days)) return;
    const partition = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(month.name)}`;
    const columns = ['export_date', ...key].map((name) => pg.escapeIdentifier(name)).join(', ');
    await client.query(
      `create table ${partition} (
         like ${parent} including defaults including comments including storage,
         constraint ${pg.escapeIdentifier(month.key)} primary key (${columns})
       )`,
    );
    await client.query(
      `alter table ${parent} attach partition ${partition} for values in (${literals(daysOfMonth(monthOf(date)))})`,
    );
  });
}
