/** Publishing by replacement: the staging table gets its key and becomes the day's partition. */

import pg from 'pg';

import { stagingNames, tableNames, type StagingNames, type TableNames } from './names.js';
import { hideFromOlderSnapshots, rewriteRows } from './older-snapshots.js';
import type { PublishRequest } from './publish-request.js';
import { exclusiveStep } from './session.js';

/**
 * 500,000 rows get their key and become the partition in 1.4 s, where upserting them took 8.5 s (bench/publishing.ts).
 * Readers are kept out only while the partitions are exchanged, at the very end.
 */
export async function replacePartition(client: pg.ClientBase, request: PublishRequest): Promise<void> {
  const [table] = request.target.tables;
  const staging = stagingNames(request.loadId, table.name);
  const { rewritten } = await buildKey(client, request.loadId, staging, ['export_date', ...table.key]);
  if (!rewritten) await hideFromOlderSnapshots(client, request.loadId, staging.table);
  await exchangePartition(
    client,
    staging,
    tableNames(request.target.schema, table.name, request.target.date),
  );
}

/**
 * Builds the primary key; where that fails for duplicates, removes all but the first of each (by file, then line). Readers
 * with a snapshot from before that would see the removed ones still, so the rows are written anew with the key.
 */
async function buildKey(
  client: pg.ClientBase,
  loadId: string,
  { table, key }: StagingNames,
  names: readonly string[],
): Promise<{ rewritten: boolean }> {
  const columns = names.map((name) => pg.escapeIdentifier(name)).join(', ');
  const addKey = `add constraint ${key} primary key (${columns})`;
  await client.query('savepoint before_key');
  try {
    await client.query(`alter table ${table} ${addKey}`);
    return { rewritten: false };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === '23505')) throw error;
    await client.query('rollback to savepoint before_key');
    await client.query(
      `with ranked as (
         select s.ctid as row, row_number() over (
           partition by ${names.map((name) => `s.${pg.escapeIdentifier(name)}`).join(', ')}
           order by f.key collate "C", s._line
         ) as rank
         from ${table} s join landfall.file f on f.id = s._file_id
       ),
       removed as (
         delete from ${table} s using ranked where s.ctid = ranked.row and ranked.rank > 1
         returning s._file_id
       ),
       counted as (select _file_id, count(*) as rows from removed group by _file_id)
       update landfall.load_file lf
       set rows_loaded = lf.rows_loaded - counted.rows, rows_duplicate = counted.rows
       from counted where lf.load_id = $1 and lf.file_id = counted._file_id`,
      [loadId],
    );
    await client.query(`alter table ${table} ${rewriteRows}, ${addKey}`);
    return { rewritten: true };
  }
}

async function exchangePartition(
  client: pg.ClientBase,
  staging: StagingNames,
  names: TableNames,
): Promise<void> {
  await client.query(`alter table ${staging.table} set schema ${names.schema}`);
  await dropPartition(client, names);
  const here = `${names.schema}.${staging.name}`;
  await client.query(`alter table ${here} rename constraint ${staging.key} to ${names.partitionKey}`);
  await client.query(`alter table ${here} rename to ${names.partitionName}`);
  await client.query(
    `alter table ${names.table} attach partition ${names.partition}
       for values in (${pg.escapeLiteral(names.date)})`,
  );
}

/**
 * Takes the day's visible rows away. Detaching needs the parent to itself: rather than queue behind a long report, with
 * every new reader queueing behind us, it gives up after 5 seconds (SQLSTATE 55P03) and the step is retried.
 */
export async function dropPartition(client: pg.ClientBase, names: TableNames): Promise<void> {
  await client.query(exclusiveStep('5s'));
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    names.partition,
  ]);
  if (rows[0]?.there !== true) return;
  await client.query(`alter table ${names.table} detach partition ${names.partition}`);
  await client.query(`drop table ${names.partition}`);
}
