/** Keys of which there is, or was, more than one copy: those alone are looked at, whatever else a load holds. */

import pg from 'pg';

import { columnsOf, sameKey, stagingNames, supersededTable, tableNames } from './names.js';
import type { Target } from './target.js';

/** Makes temporary table contested, of keys of the first table. */
export async function createContested(client: pg.ClientBase, target: Target): Promise<void> {
  const [first] = target.tables;
  await client.query(
    `create temporary table contested on commit drop as
     select ${columnsOf('t', first.key)} from ${visible(target, first.name)} t with no data`,
  );
  const key = first.key.map(pg.escapeIdentifier).join(', ');
  await client.query(`alter table contested add primary key (${key})`);
}

/** Whether readers do not see some copies of the source. */
export async function hasSuperseded(client: pg.ClientBase, { schema }: Target): Promise<boolean> {
  const { rows } = await client.query<{ some: boolean }>(
    `select exists (select from ${supersededTable(schema)}) as some`,
  );
  return rows[0]?.some === true;
}

/** Copies of these files are about to go: others of their keys may take their place. */
export async function contestRemoved(
  client: pg.ClientBase,
  target: Target,
  fileIds: readonly string[],
): Promise<void> {
  const { key } = target.tables[0];
  const copies = supersededTable(target.schema);
  const ways = [
    `select ${columnsOf('c', key)} from ${copies} c where c._file_id = any($1::bigint[])`,
    ...tablesOfKeys(target).map(
      (name) => `
        select ${columnsOf('c', key)} from ${copies} c join ${visible(target, name)} t on ${sameKey('t', 'c', key)}
        where t._file_id = any($1::bigint[])`,
    ),
  ];
  await client.query(`insert into contested ${ways.join(' union ')} on conflict do nothing`, [fileIds]);
}

/** Staged rows under a key of which there are copies, seen or not, or which `removeRepeated` found in several files. */
export async function contestStaged(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  const { key } = target.tables[0];
  const tables = tablesOfKeys(target);
  const staged = tables.length === 1 ? stagingNames(loadId, tables[0] ?? '').table : 'staged_key';
  if (tables.length > 1) {
    const keys = tables.map(
      (name) => `select ${columnsOf('s', key)} from ${stagingNames(loadId, name).table} s`,
    );
    await client.query(`create temporary table staged_key on commit drop as ${keys.join(' union ')}`);
    await client.query('analyze staged_key');
  }
  const places = [
    ...tables.map((name) => visible(target, name)),
    ...((await hasSuperseded(client, target)) ? [supersededTable(target.schema)] : []),
  ];
  if (target.adds === true) {
    await client.query(
      `insert into contested select ${columnsOf('k', key)} from repeated_key k on conflict do nothing`,
    );
  }
  for (const place of places) {
    await client.query(
      `insert into contested select ${columnsOf('s', key)} from ${staged} s
       where exists (select from ${place} t where ${sameKey('t', 's', key)})
       on conflict do nothing`,
    );
  }
}

/**
 * The tables in which every key occurs: the first one; where rows of a delivery are completed, a key may be in any, for the
 * first table's row may have been left out.
 */
export function tablesOfKeys({ tables, completes }: Target): readonly string[] {
  return (completes === undefined ? tables.slice(0, 1) : tables).map(({ name }) => name);
}

export function visible({ schema, date }: Target, table: string): string {
  return tableNames(schema, table, date).table;
}
