/** Partitions that hold all days of a month or a year. */

import pg from 'pg';

import { daysOf, periodToBegin, type Period } from './day-layout.js';
import { tableNames } from './names.js';
import { partitionOf, partitionsOf } from './partitions.js';
import { lockLayout } from './table-lock.js';
import type { Target } from './target.js';
import { transaction } from './transaction.js';

/** Name of a period's partition, `decision_2026_03`, and of its primary key; not qualified, not quoted. */
export function periodNames(table: string, period: Period): { readonly name: string; readonly key: string } {
  const name = `${table}_${period.replace('-', '_')}`;
  return { name, key: `${name}_pkey` };
}

/** The days of a period as a list of SQL literals. */
export function dayLiterals(period: Period): string {
  return daysOf(period)
    .map((day) => pg.escapeLiteral(day))
    .join(', ');
}

/** Makes an empty partition for the period of a target's day, unless another step has made one for the day since. */
export async function createPeriod(pool: pg.Pool, { schema, tables, date }: Target): Promise<void> {
  const [{ name: table, key }] = tables;
  const parent = tableNames(schema, table, date).table;
  await transaction(pool, async (client) => {
    await lockLayout(client, parent);
    const partitions = await partitionsOf(client, parent);
    const period = periodToBegin(date, partitions);
    if (partitionOf(partitions, date) || period === undefined) return;
    const names = periodNames(table, period);
    const partition = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(names.name)}`;
    const columns = ['export_date', ...key].map((name) => pg.escapeIdentifier(name)).join(', ');
    await client.query(
      `create table ${partition} (
         like ${parent} including defaults including comments including storage,
         constraint ${pg.escapeIdentifier(names.key)} primary key (${columns})
       )`,
    );
    await client.query(
      `alter table ${parent} attach partition ${partition} for values in (${dayLiterals(period)})`,
    );
  });
}
