/**
 * The table into which partitions are copied before it takes their place as that of their month or year. Readers do not see
 * it. Its name holds the partitioned table's oid: where that was dropped and made anew, what was copied before is of no use.
 */

import pg from 'pg';

import type { Period } from './day-layout.js';
import { dayLiterals } from './period-partition.js';

export interface DayTable {
  readonly schema: string;
  readonly table: string;
  /** Columns that identify a row within its day. */
  readonly key: readonly string[];
}

export interface PeriodTable {
  readonly parent: string;
  readonly parentOid: string;
  readonly period: Period;
  /** Quoted and qualified; and the same without the schema, like the name of its primary key. */
  readonly table: string;
  readonly name: string;
  readonly key: string;
}

export function parentName({ schema, table }: DayTable): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
}

export async function parentOid(db: pg.Pool | pg.ClientBase, of: DayTable): Promise<string> {
  const { rows } = await db.query<{ oid: string }>('select $1::regclass::oid::text as oid', [parentName(of)]);
  if (!rows[0]) throw new Error('select returned no row');
  return rows[0].oid;
}

/** `period_2026_03_16543` */
export function periodTable(of: DayTable, oid: string, period: Period): PeriodTable {
  const bare = `period_${period.replace('-', '_')}_${oid}`;
  const name = pg.escapeIdentifier(bare);
  return {
    ...{ parent: parentName(of), parentOid: oid, period, name },
    table: `landfall_staging.${name}`,
    key: pg.escapeIdentifier(`${bare}_pkey`),
  };
}

/** One step at a time works at a table's old days, in whatever process. Ends with the transaction. */
export async function takeMergeLock(client: pg.ClientBase, oid: string): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('landfall.periods.' || $1, 0))`, [oid]);
}

/** Makes the table where it is missing. Its check constraint spares Postgres a scan of the rows when it is attached. */
export async function createPeriodTable(
  client: pg.ClientBase,
  { parent, parentOid, period, table }: PeriodTable,
): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    table,
  ]);
  if (rows[0]?.there === true) return;
  await forgetPeriod(client, parentOid, period);
  await client.query(
    `create table ${table} (
       like ${parent} including defaults including comments including storage,
       constraint landfall_period check (export_date = any (array[${dayLiterals(period)}]::date[]))
     )`,
  );
}

/** Forgets what was copied of a period. */
export async function forgetPeriod(client: pg.ClientBase, oid: string, period: Period): Promise<void> {
  await client.query('delete from landfall.period_copy where parent = $1 and period = $2', [oid, period]);
}

/** Drops tables of periods that are not among the `wanted` ones of a partitioned table, or whose partitioned table is gone. */
export async function dropPeriodTables(
  client: pg.ClientBase,
  oid: string,
  wanted: readonly Period[],
): Promise<void> {
  const { rows } = await client.query<{ name: string; period: Period; parent: string }>(
    `select name, period, parent
     from (
       select tablename as name, replace(substring(tablename from '^period_(.+)_\\d+$'), '_', '-') as period,
              substring(tablename from '\\d+$') as parent
       from pg_tables where schemaname = 'landfall_staging' and tablename ~ '^period_\\d{4}(_\\d{2})?_\\d+$'
     ) found
     where parent = $1 and period <> all ($2::text[])
        or not exists (select from pg_class where oid::text = parent and relkind = 'p')`,
    [oid, wanted],
  );
  for (const { name, period, parent } of rows) {
    await client.query(`drop table if exists landfall_staging.${pg.escapeIdentifier(name)}`);
    await forgetPeriod(client, parent, period);
  }
}
