/** Copies the days of a month into one table, a day a transaction. Readers and publishing go on meanwhile. */

import pg from 'pg';

import { addIndexes } from './partition-indexes.js';
import { columnList, type Partition } from './partitions.js';
import { createMonthTable, takeMonthsLock, type DayTable, type MonthTable } from './month-table.js';
import { transaction } from './transaction.js';

/**
 * Tells whether rows of a partition have come, gone or changed: where each of them lies, and which transaction wrote it. A
 * partition that was exchanged has another oid.
 */
export const fingerprintOf = (partition: string): string =>
  `(select coalesce(sum(hashtidextended(ctid, xmin::text::bigint)), 0) from ${partition})`;

/** Copies what has not been copied yet, or has changed since. May be repeated, and done twice at once. */
export async function copyMonth(
  pool: pg.Pool,
  of: DayTable,
  month: MonthTable,
  partitions: readonly Partition[],
  signal?: AbortSignal,
): Promise<void> {
  const locked = (work: (client: pg.ClientBase) => Promise<void>): Promise<void> =>
    transaction(
      pool,
      async (client) => {
        await takeMonthsLock(client, month);
        await work(client);
      },
      signal,
    );
  await locked(async (client) => {
    await createMonthTable(client, month);
    await dropOtherDays(client, month, partitions);
  });
  for (const partition of partitions) {
    signal?.throwIfAborted();
    await locked((client) => copyDay(client, month, partition));
  }
  await locked(async (client) => {
    await addMonthKey(client, of, month);
    await client.query(`analyze ${month.table}`);
  });
}

/** Days that were copied, and whose partitions are gone. */
async function dropOtherDays(
  client: pg.ClientBase,
  { parentOid, month, table }: MonthTable,
  partitions: readonly Partition[],
): Promise<void> {
  const { rows } = await client.query<{ day: string }>(
    `delete from landfall.month_copy
     where parent = $1 and to_char(day, 'YYYY-MM') = $2 and day <> all ($3::date[])
     returning to_char(day, 'YYYY-MM-DD') as day`,
    [parentOid, month, partitions.flatMap(({ days }) => days)],
  );
  if (rows.length === 0) return;
  await client.query(`delete from ${table} where export_date = any ($1::date[])`, [
    rows.map(({ day }) => day),
  ]);
}

async function copyDay(
  client: pg.ClientBase,
  { parent, parentOid, table }: MonthTable,
  { oid, name, days }: Partition,
): Promise<void> {
  const { rows: before } = await client.query<{ same: boolean }>(
    `select partition = $3 and fingerprint = ${fingerprintOf(name)} as same
     from landfall.month_copy where parent = $1 and day = $2`,
    [parentOid, days[0], oid],
  );
  if (before[0]?.same === true) return;
  if (before.length > 0) await client.query(`delete from ${table} where export_date = $1`, [days[0]]);
  const columns = await columnList(client, parent);
  // One statement, and so one snapshot: what is copied is what the fingerprint is of.
  await client.query(
    `with copied as (insert into ${table} (${columns}) select ${columns} from ${name} returning 1)
     insert into landfall.month_copy (parent, day, partition, rows, fingerprint)
     select $1, $2, $3, (select count(*) from copied), ${fingerprintOf(name)}
     on conflict (parent, day) do update
       set partition = excluded.partition, rows = excluded.rows, fingerprint = excluded.fingerprint`,
    [parentOid, days[0], oid],
  );
}

async function addMonthKey(client: pg.ClientBase, of: DayTable, month: MonthTable): Promise<void> {
  const { rows } = await client.query('select from pg_index where indrelid = $1::regclass and indisprimary', [
    month.table,
  ]);
  if (rows.length === 0) {
    const columns = ['export_date', ...of.key].map((name) => pg.escapeIdentifier(name)).join(', ');
    await client.query(`alter table ${month.table} add constraint ${month.key} primary key (${columns})`);
  }
  await addIndexes(client, month.parent, month.table);
}
