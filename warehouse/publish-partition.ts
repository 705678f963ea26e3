/** Publishing by replacement: the staging table gets its key and becomes what readers see of the day. */

import pg from 'pg';

import { stagingNames, tableNames, type StagingNames } from './names.js';
import { hideFromOlderSnapshots, rewriteRows } from './older-snapshots.js';
import { addIndexes } from './partition-indexes.js';
import type { PublishRequest } from './publish-request.js';

/**
 * Makes the staging table ready to be the day's partition. 500,000 rows get their key and become the partition in 1.4 s,
 * where upserting them took 8.5 s (bench/publishing.ts).
 */
export async function buildPartition(client: pg.ClientBase, request: PublishRequest): Promise<void> {
  const [{ name, key }] = request.target.tables;
  const staging = stagingNames(request.loadId, name);
  const { table } = tableNames(request.target.schema, name, request.target.date);
  const { rewritten } = await buildKey(client, request.loadId, table, staging, ['export_date', ...key]);
  if (!rewritten) await hideFromOlderSnapshots(client, request.loadId, staging.table);
}

/** Adds the primary key, and the indexes that the partitioned table has, where they are not there yet. */
export async function addKey(
  client: pg.ClientBase,
  parent: string,
  { table, key }: StagingNames,
  names: readonly string[],
): Promise<void> {
  const { rows } = await client.query('select from pg_index where indrelid = $1::regclass and indisprimary', [
    table,
  ]);
  if (rows.length === 0) {
    const columns = names.map((name) => pg.escapeIdentifier(name)).join(', ');
    await client.query(`alter table ${table} add constraint ${key} primary key (${columns})`);
  }
  await addIndexes(client, parent, table);
}

/**
 * Builds the primary key; where that fails for duplicates, removes all but the first of each (by file, then line). Readers
 * with a snapshot from before that would see the removed ones still, so the rows are written anew with the key.
 */
async function buildKey(
  client: pg.ClientBase,
  loadId: string,
  parent: string,
  staging: StagingNames,
  names: readonly string[],
): Promise<{ rewritten: boolean }> {
  const { table } = staging;
  await client.query('savepoint before_key');
  try {
    await addKey(client, parent, staging, names);
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
    await client.query(`alter table ${table} ${rewriteRows}`);
    await addKey(client, parent, staging, names);
    return { rewritten: true };
  }
}
