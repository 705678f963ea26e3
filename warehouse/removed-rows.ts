/** Rows that a new version of a delivery has no longer. */

import pg from 'pg';

import { stagingNames, tableNames } from './names.js';
import { partitionOf, partitionsOf } from './partitions.js';
import type { PublishRequest } from './publish-request.js';

export interface RemovedRows {
  readonly rows: number;
  /** The column that they are known by. */
  readonly key: string;
  /** At most 3 of their keys. */
  readonly first: readonly string[];
}

/**
 * Compares the keys of the day that readers see with those that are staged. Undefined where nothing is visible, and where
 * rows have no key of their own but their line. The day's partition is read itself: a lock on the whole table, however weak,
 * would be in the way of another publisher that wants the table to itself, as ours would be in his.
 */
export async function removedRows(
  client: pg.ClientBase,
  { loadId, target }: PublishRequest,
): Promise<RemovedRows | undefined> {
  const [{ name, key: columns }] = target.tables;
  const [key] = columns;
  if (target.how !== 'replace' || key === undefined || columns.length > 1 || key === '_line')
    return undefined;
  const { table } = tableNames(target.schema, name, target.date);
  const visible = partitionOf(await partitionsOf(client, table), target.date);
  if (visible === undefined) return undefined;
  const column = pg.escapeIdentifier(key);
  const { rows } = await client.query<{ rows: string; first: string[] }>(
    `with removed as materialized (
       select v.${column}::text as key from ${visible.name} v
       where v.export_date = $1 and not exists (
         select from ${stagingNames(loadId, name).table} s where s.${column} = v.${column}
       )
     )
     select (select count(*) from removed) as rows,
            array(select key from removed order by key collate "C" limit 3) as first`,
    [target.date],
  );
  return { rows: Number(rows[0]?.rows ?? 0), key, first: rows[0]?.first ?? [] };
}
