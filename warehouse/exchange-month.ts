/** Lets a month's table take the place of the partitions of its days, in one transaction. */

import pg from 'pg';

import { fingerprintOf } from './copy-month.js';
import { daysOfMonth } from './day-layout.js';
import { literals, monthNames } from './month-partition.js';
import { forgetMonth, takeMonthsLock, type DayTable, type MonthTable } from './month-table.js';
import { ofOneDay, partitionsOf, type Partition } from './partitions.js';
import { keepWritersOut, lockTable, tablesBusy, takeTurn, type Holder } from './table-lock.js';
import { transaction } from './transaction.js';

/** Whose deliveries the days are. */
export interface DayOwner {
  readonly source: string;
  readonly type: string;
}

/**
 * Exchanges the partitions, unless a day has changed since it was copied: then it returns false, and the month is to be
 * copied again. Throws `TablesBusy` while others hold the table, or could see neither the old rows nor the new ones.
 */
export async function exchangeMonth(
  pool: pg.Pool,
  of: DayTable & DayOwner,
  month: MonthTable,
  partitions: readonly Partition[],
  signal?: AbortSignal,
): Promise<boolean> {
  const undone = `The days of ${month.month} are not put together yet`;
  const wanted = { table: month.parent, partitions: partitions.map(({ name }) => name), undone };
  await refuseOlderSnapshots(pool, month, undone);
  const mayWait = await takeTurn(pool, wanted);
  const exchange = async (client: pg.ClientBase): Promise<boolean> => {
    await lockDeliveries(client, of, month.month);
    await takeMonthsLock(client, month);
    await keepWritersOut(client, wanted);
    if (!(await isWholeCopy(client, month, partitions))) return false;
    await refuseOlderSnapshots(client, month, undone);
    const schema = pg.escapeIdentifier(of.schema);
    const names = monthNames(of.table, month.month);
    const partition = `${schema}.${pg.escapeIdentifier(names.name)}`;
    await client.query(`alter table ${month.table} set schema ${schema}`);
    const here = `${schema}.${month.name}`;
    await client.query(
      `alter table ${here} rename constraint ${month.key} to ${pg.escapeIdentifier(names.key)}`,
    );
    await client.query(`alter table ${here} rename to ${pg.escapeIdentifier(names.name)}`);
    await forgetMonth(client, month.parentOid, month.month);
    // From here on readers wait.
    await lockTable(client, wanted, mayWait);
    for (const { name } of partitions) {
      await client.query(`alter table ${month.parent} detach partition ${name}`);
    }
    await client.query(
      `alter table ${month.parent} attach partition ${partition} for values in (${literals(daysOfMonth(month.month))})`,
    );
    await client.query(`alter table ${partition} drop constraint landfall_month`);
    await client.query(`drop table ${wanted.partitions.join(', ')}`);
    return true;
  };
  return transaction(pool, exchange, signal);
}

/** What publishes or discards one of the days has its row, so that none of them changes meanwhile. */
async function lockDeliveries(
  client: pg.ClientBase,
  { source, type }: DayOwner,
  month: string,
): Promise<void> {
  await client.query(`set local lock_timeout = '5s'`);
  await client.query(
    `select 1 from landfall.delivery
     where source = $1 and type = $2 and date = any ($3::date[]) order by id for no key update`,
    [source, type, daysOfMonth(month)],
  );
}

/** Whether every day that has a partition was copied as it is now. */
async function isWholeCopy(
  client: pg.ClientBase,
  month: MonthTable,
  partitions: readonly Partition[],
): Promise<boolean> {
  const days = daysOfMonth(month.month);
  const now = ofOneDay(await partitionsOf(client, month.parent)).filter(({ days: [day = ''] }) =>
    days.includes(day),
  );
  const oids = (of: readonly Partition[]): string =>
    of
      .map(({ oid }) => oid)
      .sort()
      .join();
  if (oids(now) !== oids(partitions)) return false;
  for (const { oid, name, days } of now) {
    const { rows } = await client.query<{ same: boolean }>(
      `select partition = $3 and fingerprint = ${fingerprintOf(name)} as same
       from landfall.month_copy where parent = $1 and day = $2`,
      [month.parentOid, days[0], oid],
    );
    if (rows[0]?.same !== true) return false;
  }
  const { rows } = await client.query<{ same: boolean }>(
    `select (select count(*) from ${month.table}) = coalesce(sum(rows), 0) as same
     from landfall.month_copy where parent = $1 and day = any ($2::date[])`,
    [month.parentOid, days],
  );
  return rows[0]?.same === true;
}

/**
 * A transaction whose snapshot is from before the copying (a backup, say) would find the days' partitions gone and see none
 * of the rows that were copied. Our own sessions do not read these tables.
 */
async function refuseOlderSnapshots(
  db: pg.Pool | pg.ClientBase,
  { parent, parentOid, month }: MonthTable,
  undone: string,
): Promise<void> {
  const { rows } = await db.query<Holder>(
    `select a.pid, a.application_name as application, a.usename as account, a.state, a.query_start
     from pg_stat_activity a
     where a.datname = current_database() and a.pid <> pg_backend_pid() and a.usesysid is not null
       and a.application_name <> current_setting('application_name')
       and age(a.backend_xmin) >= (
         select min(age(xmin)) from landfall.month_copy where parent = $1 and to_char(day, 'YYYY-MM') = $2
       )`,
    [parentOid, month],
  );
  if (rows.length > 0) throw tablesBusy({ table: parent, undone }, rows);
}
