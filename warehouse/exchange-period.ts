/** Lets the table of a month or a year take the place of the partitions of its days, in one transaction. */

import pg from 'pg';

import { fingerprintOf } from './copy-period.js';
import { daysOf, type Period } from './day-layout.js';
import { dayLiterals, periodNames } from './period-partition.js';
import { forgetPeriod, takeMergeLock, type DayTable, type PeriodTable } from './period-table.js';
import { partitionsOf, type Partition } from './partitions.js';
import { keepWritersOut, lockTable, tablesBusy, takeTurn, type Holder } from './table-lock.js';
import { exclusiveStep } from './session.js';
import { transaction } from './transaction.js';

/** Whose deliveries the days are. */
export interface DayOwner {
  readonly source: string;
  readonly type: string;
}

/**
 * Exchanges the partitions, unless a day has changed since it was copied: then it returns false, and the period is to be
 * copied again. Throws `TablesBusy` while others hold the table, or could see neither the old rows nor the new ones.
 */
export async function exchangePeriod(
  pool: pg.Pool,
  of: DayTable & DayOwner,
  by: PeriodTable,
  partitions: readonly Partition[],
  signal?: AbortSignal,
): Promise<boolean> {
  const { parent, parentOid, period } = by;
  const undone = `The days of ${period} are not put together yet`;
  const wanted = { table: parent, partitions: partitions.map(({ name }) => name), undone };
  await refuseOlderSnapshots(pool, by, undone);
  const mayWait = await takeTurn(pool, wanted);
  const exchange = async (client: pg.ClientBase): Promise<boolean> => {
    await lockDeliveries(client, of, period);
    await takeMergeLock(client, parentOid);
    await keepWritersOut(client, wanted);
    if (!(await isWholeCopy(client, by, partitions))) return false;
    await refuseOlderSnapshots(client, by, undone);
    const partition = await moveToSchema(client, of, by);
    await forgetPeriod(client, parentOid, period);
    // From here on readers wait.
    await lockTable(client, wanted, mayWait);
    // Not detached before: each of these statements would go through all partitions that there are.
    await client.query(`drop table ${wanted.partitions.join(', ')}`);
    await client.query(
      `alter table ${parent} attach partition ${partition} for values in (${dayLiterals(period)})`,
    );
    await client.query(`alter table ${partition} drop constraint landfall_period`);
    return true;
  };
  return transaction(pool, exchange, signal);
}

/** What publishes or discards one of the days has its row, so that none of them changes meanwhile. */
async function lockDeliveries(
  client: pg.ClientBase,
  { source, type }: DayOwner,
  period: Period,
): Promise<void> {
  await client.query(exclusiveStep('5s'));
  await client.query(
    `select 1 from landfall.delivery
     where source = $1 and type = $2 and date = any ($3::date[]) order by id for no key update`,
    [source, type, daysOf(period)],
  );
}

/** Whether every partition of the period was copied, as it is now, and there is no other one. */
async function isWholeCopy(
  client: pg.ClientBase,
  { parent, parentOid, period, table }: PeriodTable,
  partitions: readonly Partition[],
): Promise<boolean> {
  const now = (await partitionsOf(client, parent)).filter(({ days }) =>
    days.some((day) => day.startsWith(period)),
  );
  const oids = (of: readonly Partition[]): string =>
    of
      .map(({ oid }) => oid)
      .sort()
      .join();
  if (oids(now) !== oids(partitions)) return false;
  for (const { oid, name } of now) {
    const { rows } = await client.query<{ same: boolean }>(
      `select fingerprint = ${fingerprintOf(name)} as same
       from landfall.period_copy where parent = $1 and period = $2 and partition = $3`,
      [parentOid, period, oid],
    );
    if (rows[0]?.same !== true) return false;
  }
  const { rows } = await client.query<{ same: boolean }>(
    `select (select count(*) from ${table}) = coalesce(sum(rows), 0) as same
     from landfall.period_copy where parent = $1 and period = $2`,
    [parentOid, period],
  );
  return rows[0]?.same === true;
}

/** Returns its name there. */
async function moveToSchema(client: pg.ClientBase, of: DayTable, by: PeriodTable): Promise<string> {
  const schema = pg.escapeIdentifier(of.schema);
  const names = periodNames(of.table, by.period);
  await client.query(`alter table ${by.table} set schema ${schema}`);
  const here = `${schema}.${by.name}`;
  await client.query(`alter table ${here} rename constraint ${by.key} to ${pg.escapeIdentifier(names.key)}`);
  await client.query(`alter table ${here} rename to ${pg.escapeIdentifier(names.name)}`);
  return `${schema}.${pg.escapeIdentifier(names.name)}`;
}

/**
 * A transaction whose snapshot is from before the copying (a backup, say) would find the days' partitions gone and see none
 * of the rows that were copied. Our own sessions do not read these tables.
 */
async function refuseOlderSnapshots(
  db: pg.Pool | pg.ClientBase,
  { parent, parentOid, period }: PeriodTable,
  undone: string,
): Promise<void> {
  const { rows } = await db.query<Holder>(
    `select a.pid, a.application_name as application, a.usename as account, a.state, a.query_start
     from pg_stat_activity a
     where a.datname = current_database() and a.pid <> pg_backend_pid() and a.usesysid is not null
       and a.application_name <> current_setting('application_name')
       and age(a.backend_xmin) >= (
         select min(age(xmin)) from landfall.period_copy where parent = $1 and period = $2
       )`,
    [parentOid, period],
  );
  if (rows.length > 0) throw tablesBusy({ table: parent, undone }, rows);
}
