/** The tables that a load is staged into. */

import pg from 'pg';

import { completedColumns } from './complete-rows.js';
import { endCopies } from './end-copies.js';
import { stagingNames, stagingPrefix, tableNames } from './names.js';
import type { Target } from './target.js';

export async function createStaging(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  for (const { name } of target.tables) {
    const { table } = tableNames(target.schema, name, target.date);
    const staging = stagingNames(loadId, name).table;
    if (target.how === 'merge') {
      // A crash of Postgres empties it: publishing finds that it holds fewer rows than were reported.
      await client.query(`create unlogged table ${staging} (like ${table} including defaults)`);
      const completion = target.completes?.find(({ table }) => table === name);
      for (const column of completion ? completedColumns(completion) : []) {
        await client.query(
          `alter table ${staging} alter column ${pg.escapeIdentifier(column)} drop not null`,
        );
      }
      continue;
    }
    // The check constraint spares Postgres a scan of the rows when the table is attached as the day's partition.
    // Logged, unlike staging tables that are merged from: this very table becomes the partition.
    await client.query(
      `create table ${staging} (
         like ${table} including defaults including comments including storage,
         constraint landfall_day check (export_date = ${pg.escapeLiteral(target.date)}::date)
       )`,
    );
  }
}

export async function dropStaging(client: pg.ClientBase, loadId: string): Promise<void> {
  await endCopies(client, loadId);
  const { rows } = await client.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'landfall_staging' and starts_with(tablename, $1)`,
    [stagingPrefix(loadId)],
  );
  for (const { name } of rows) await client.query(`drop table landfall_staging.${pg.escapeIdentifier(name)}`);
}
