/** Copies the days of a month or a year into one table, a partition a transaction. Readers and publishing go on meanwhile. */

import pg from 'pg';

import { addIndexes } from './partition-indexes.js';
import { columnList, type Partition } from './partitions.js';
import { createPeriodTable, takeMergeLock, type DayTable, type PeriodTable } from './period-table.js';
import { transaction } from './transaction.js';

/**
 * Tells whether rows of a partition have come, gone or changed: where each of them lies, and which transaction wrote it. A
 * partition that was exchanged has another oid.
 */
export const fingerprintOf = (partition: string): string =>
  `(select coalesce(sum(hashtidextended(ctid, xmin::text::bigint)), 0) from ${partition})`;

/** Copies what has not been copied yet, or has changed since. May be repeated, and done twice at once. */
export async function copyPeriod(
  pool: pg.Pool,
  of: DayTable,
  to: PeriodTable,
  partitions: readonly Partition[],
  signal?: AbortSignal,
): Promise<void> {
  const locked = (work: (client: pg.ClientBase) => Promise<void>): Promise<void> =>
    transaction(
      pool,
      async (client) => {
        await takeMergeLock(client, to.parentOid);
        await work(client);
      },
      signal,
    );
  await locked(async (client) => {
    await createPeriodTable(client, to);
    await dropOthers(client, to, partitions);
  });
  for (const partition of partitions) {
    signal?.throwIfAborted();
    await locked((client) => copyPartition(client, to, partition));
  }
  await locked(async (client) => {
    await addPeriodKey(client, of, to);
    await client.query(`analyze ${to.table}`);
  });
}

/** Rows of partitions that were copied and are gone since, or were exchanged for others. */
async function dropOthers(
  client: pg.ClientBase,
  { parentOid, period, table }: PeriodTable,
  partitions: readonly Partition[],
): Promise<void> {
  const { rows } = await client.query<{ days: string[] }>(
    `delete from landfall.period_copy
     where parent = $1 and period = $2 and partition <> all ($3::oid[]) returning days::text[] as days`,
    [parentOid, period, partitions.map(({ oid }) => oid)],
  );
  for (const { days } of rows) await dropDays(client, table, days);
}

async function dropDays(client: pg.ClientBase, table: string, days: readonly string[]): Promise<void> {
  await client.query(`delete from ${table} where export_date = any ($1::date[])`, [days]);
}

async function copyPartition(
  client: pg.ClientBase,
  { parent, parentOid, period, table }: PeriodTable,
  { oid, name, days }: Partition,
): Promise<void> {
  const { rows: before } = await client.query<{ same: boolean }>(
    `select fingerprint = ${fingerprintOf(name)} as same
     from landfall.period_copy where parent = $1 and period = $2 and partition = $3`,
    [parentOid, period, oid],
  );
  if (before[0]?.same === true) return;
  if (before.length > 0) await dropDays(client, table, days);
  const columns = await columnList(client, parent);
  // One statement, and so one snapshot: what is copied is what the fingerprint is of.
  await client.query(
    `with copied as (insert into ${table} (${columns}) select ${columns} from ${name} returning 1)
     insert into landfall.period_copy (parent, period, partition, days, rows, fingerprint)
     select $1, $2, $3, $4, (select count(*) from copied), ${fingerprintOf(name)}
     on conflict (parent, period, partition) do update
       set rows = excluded.rows, fingerprint = excluded.fingerprint`,
    [parentOid, period, oid, days],
  );
}

async function addPeriodKey(client: pg.ClientBase, of: DayTable, to: PeriodTable): Promise<void> {
  const { rows } = await client.query('select from pg_index where indrelid = $1::regclass and indisprimary', [
    to.table,
  ]);
  if (rows.length === 0) {
    const columns = ['export_date', ...of.key].map((name) => pg.escapeIdentifier(name)).join(', ');
    await client.query(`alter table ${to.table} add constraint ${to.key} primary key (${columns})`);
  }
  await addIndexes(client, to.parent, to.table);
}
