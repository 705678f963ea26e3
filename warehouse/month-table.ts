/**
 * The table into which the days of a month are copied before it takes their place as a partition. Readers do not see it. Its
 * name holds the partitioned table's oid: where that was dropped and made anew, what was copied before is of no use.
 */

import pg from 'pg';

import { daysOfMonth } from './day-layout.js';
import { literals } from './month-partition.js';

export interface DayTable {
  readonly schema: string;
  readonly table: string;
  /** Columns that identify a row within its day. */
  readonly key: readonly string[];
}

export interface MonthTable {
  readonly parent: string;
  readonly parentOid: string;
  readonly month: string;
  /** Quoted and qualified; and the same without the schema, like the name of its primary key. */
  readonly table: string;
  readonly name: string;
  readonly key: string;
}

export function parentName({ schema, table }: DayTable): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
}

export async function monthTable(
  db: pg.Pool | pg.ClientBase,
  of: DayTable,
  month: string,
): Promise<MonthTable> {
  const parent = parentName(of);
  const { rows } = await db.query<{ oid: string }>('select $1::regclass::oid::text as oid', [parent]);
  const parentOid = rows[0]?.oid ?? '';
  const name = pg.escapeIdentifier(`month_${month.replace('-', '_')}_${parentOid}`);
  const key = pg.escapeIdentifier(`month_${month.replace('-', '_')}_${parentOid}_pkey`);
  return { parent, parentOid, month, table: `landfall_staging.${name}`, name, key };
}

/** One step at a time works at the months of a table, in whatever process. Ends with the transaction. */
export async function takeMonthsLock(client: pg.ClientBase, { parentOid }: MonthTable): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('landfall.months.' || $1, 0))`, [
    parentOid,
  ]);
}

/** Makes the table where it is missing. Its check constraint spares Postgres a scan of the rows when it is attached. */
export async function createMonthTable(
  client: pg.ClientBase,
  { parent, parentOid, month, table }: MonthTable,
): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    table,
  ]);
  if (rows[0]?.there === true) return;
  await forgetMonth(client, parentOid, month);
  await client.query(
    `create table ${table} (
       like ${parent} including defaults including comments including storage,
       constraint landfall_month check (export_date = any (array[${literals(daysOfMonth(month))}]::date[]))
     )`,
  );
}

/** Forgets what was copied of a month. */
export async function forgetMonth(client: pg.ClientBase, parentOid: string, month: string): Promise<void> {
  await client.query(`delete from landfall.month_copy where parent = $1 and to_char(day, 'YYYY-MM') = $2`, [
    parentOid,
    month,
  ]);
}

/**
 * Drops tables of months that are not to be merged any more, and of partitioned tables that are gone. `wanted` are the
 * months of the one partitioned table.
 */
export async function dropMonthTables(
  client: pg.ClientBase,
  parentOid: string,
  wanted: readonly string[],
): Promise<void> {
  const { rows } = await client.query<{ name: string; month: string; parent: string }>(
    `select tablename as name, replace(substr(tablename, 7, 7), '_', '-') as month, substr(tablename, 15) as parent
     from pg_tables
     where schemaname = 'landfall_staging' and tablename ~ '^month_\\d{4}_\\d{2}_\\d+$'
       and (substr(tablename, 15) = $1 and replace(substr(tablename, 7, 7), '_', '-') <> all ($2::text[])
         or not exists (select from pg_class where oid::text = substr(tablename, 15) and relkind = 'p'))`,
    [parentOid, wanted],
  );
  for (const { name, month, parent } of rows) {
    await client.query(`drop table if exists landfall_staging.${pg.escapeIdentifier(name)}`);
    await forgetMonth(client, parent, month);
  }
}
