/** The end of publishing or discarding a day: what readers see changes, in the same transaction as the ledger. */

import pg from 'pg';

import { lockLayout, lockTable } from './table-lock.js';
import { stagingNames, tableNames, type TableNames } from './names.js';
import { columnList, isOfOneDay, partitionOf, partitionsOf, type Partition } from './partitions.js';
import type { PublishRequest } from './publish-request.js';
import { dropStaging } from './staging-tables.js';

/**
 * Puts a staging table that has its key in the place of the day's visible rows. A day with a partition of its own, or with
 * none yet, gets it as its partition; in that of a month or a year the rows are replaced, which keeps nobody out.
 */
export async function showDay(
  client: pg.ClientBase,
  { loadId, deliveryId, target }: PublishRequest,
  mayWait: boolean,
): Promise<void> {
  const staging = stagingNames(loadId, target.tables[0].name);
  const names = tableNames(target.schema, target.tables[0].name, target.date);
  const wide = await widePartition(client, names);
  if (wide) {
    await replaceRows(client, wide, staging.table, names.date);
    await dropStaging(client, loadId);
    return;
  }
  await client.query(`alter table ${staging.table} set schema ${names.schema}`);
  const here = `${names.schema}.${staging.name}`;
  await dropOwnPartition(client, names, mayWait, `Delivery ${deliveryId} is not published yet`);
  await client.query(`alter table ${here} rename constraint ${staging.key} to ${names.partitionKey}`);
  await client.query(`alter table ${here} rename to ${names.partitionName}`);
  await client.query(
    `alter table ${names.table} attach partition ${names.partition}
       for values in (${pg.escapeLiteral(names.date)})`,
  );
  // It has spared Postgres a scan; from now on it would cost every query some planning.
  await client.query(`alter table ${names.partition} drop constraint landfall_day`);
}

/** Takes the day's visible rows away. */
export async function takeOutDay(
  client: pg.ClientBase,
  names: TableNames,
  mayWait: boolean,
  undone: string,
): Promise<void> {
  const wide = await widePartition(client, names);
  if (wide) await client.query(`delete from ${wide.name} where export_date = $1`, [names.date]);
  else await dropOwnPartition(client, names, mayWait, undone);
}

/**
 * The partition of a month or a year that the day lies in. Where there is none, there will be none before the transaction
 * ends: merging needs the delivery's row, which we hold.
 */
async function widePartition(
  client: pg.ClientBase,
  { table, date }: TableNames,
): Promise<Partition | undefined> {
  const there = partitionOf(await partitionsOf(client, table), date);
  if (there) return isOfOneDay(there) ? undefined : there;
  await lockLayout(client, table);
  const since = partitionOf(await partitionsOf(client, table), date);
  return since && !isOfOneDay(since) ? since : undefined;
}

async function dropOwnPartition(
  client: pg.ClientBase,
  { table, date }: TableNames,
  mayWait: boolean,
  undone: string,
): Promise<void> {
  const partition = partitionOf(await partitionsOf(client, table), date);
  if (!partition) return;
  await lockTable(client, { table, partitions: [partition.name], undone }, mayWait);
  await client.query(`alter table ${table} detach partition ${partition.name}`);
  await client.query(`drop table ${partition.name}`);
}

async function replaceRows(
  client: pg.ClientBase,
  { name }: Partition,
  staging: string,
  date: string,
): Promise<void> {
  const columns = await columnList(client, name);
  await client.query(`delete from ${name} where export_date = $1`, [date]);
  await client.query(`insert into ${name} (${columns}) select ${columns} from ${staging}`);
}
