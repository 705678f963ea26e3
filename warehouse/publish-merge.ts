/** Publishing by merge: rows take the place of those with the same key, and of those that belong to them. */

import pg from 'pg';

import { stagingNames, tableNames } from './names.js';
import type { PublishRequest } from './publish-request.js';
import { dropStaging } from './staging-tables.js';
import type { Target } from './target.js';

/**
 * Merges a load into the tables. What it brings under a key of the first table, from this delivery or another, replaces
 * all that there was under it in any table; rows that the delivery's last load had and this one has not go too. Within a
 * load the first row of several with one key stays (by file, then line), the others count as duplicates.
 *
 * Loads of one source take turns, or two that bring the same key would meet at its index and one would fail.
 */
export async function mergeRows(client: pg.ClientBase, request: PublishRequest): Promise<void> {
  const { loadId, deliveryId, target } = request;
  await takeTurns(client, target);
  await removeDuplicates(client, loadId, target);
  await takeOutMerged(client, deliveryId, target);
  await noteKeys(client, loadId, target);
  await deleteKeys(client, target);
  await insertStaged(client, loadId, target);
  await dropStaging(client, loadId);
}

/** Until the end of the transaction, no other load is merged into the schema. */
export async function takeTurns(client: pg.ClientBase, { schema }: Target): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('landfall.merge.' || $1, 0))`, [schema]);
}

/**
 * Whose rows are replaced: keys of the first table that occur in any. Where the tables have files of their own, there
 * are rows whose first one was left out or went into the quarantine.
 */
async function noteKeys(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  const key = target.tables[0].key.map(pg.escapeIdentifier).join(', ');
  const keys = target.tables.map(({ name }) => `select ${key} from ${stagingNames(loadId, name).table}`);
  await client.query(`create temporary table merged_key on commit drop as ${keys.join(' union ')}`);
}

/** Takes the rows of a delivery's visible load away. They are found by their file. */
export async function takeOutMerged(
  client: pg.ClientBase,
  deliveryId: string,
  target: Target,
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `select lf.file_id as id from landfall.load l join landfall.load_file lf on lf.load_id = l.id
     where l.delivery_id = $1 and l.state = 'published'`,
    [deliveryId],
  );
  if (rows.length === 0) return;
  for (const { name } of target.tables) {
    await client.query(
      `delete from ${tableNames(target.schema, name, target.date).table} where _file_id = any($1::bigint[])`,
      [rows.map(({ id }) => id)],
    );
  }
}

/** Takes what there is under the keys of temporary table merged_key out of all tables. */
export async function deleteKeys(client: pg.ClientBase, target: Target): Promise<void> {
  await client.query('analyze merged_key');
  for (const { name } of target.tables) {
    const { table } = tableNames(target.schema, name, target.date);
    await client.query(
      `delete from ${table} t using merged_key k where ${sameKey('t', 'k', target.tables[0].key)}`,
    );
  }
}

/**
 * Rows of the first table come in the order of their files, by which they are found again. Those of the others, which are
 * many, come in the order of their keys, so that neighbours in the index are written one after the other.
 */
export async function insertStaged(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  for (const [index, { name, key }] of target.tables.entries()) {
    const { table } = tableNames(target.schema, name, target.date);
    const order = index === 0 ? '' : ` order by ${key.map(pg.escapeIdentifier).join(', ')}`;
    await client.query(`insert into ${table} select * from ${stagingNames(loadId, name).table}${order}`);
  }
}

/** Of staged rows with one key, all but the first by file, then line. */
export async function removeDuplicates(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  const [first] = target.tables;
  const key = first.key.map((name) => `s.${pg.escapeIdentifier(name)}`).join(', ');
  await client.query(`
    create temporary table duplicate on commit drop as
    select row, _file_id, _line from (
      select s.ctid as row, s._file_id, s._line,
             row_number() over (partition by ${key} order by f.key collate "C", s._line) as rank
      from ${stagingNames(loadId, first.name).table} s join landfall.file f on f.id = s._file_id
    ) ranked where rank > 1`);
  await dropDuplicates(client, loadId, target);
}

/**
 * Takes the rows of temporary table duplicate out of staging, and counts them. A duplicate's rows in the other tables are
 * those of the same file and line: none, where files hold rows of one table.
 */
export async function dropDuplicates(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  const [first, ...others] = target.tables;
  const removed = await client.query(
    `delete from ${stagingNames(loadId, first.name).table} s using duplicate d where s.ctid = d.row`,
  );
  if (removed.rowCount === 0) return;
  for (const { name } of others) {
    await client.query(
      `delete from ${stagingNames(loadId, name).table} s using duplicate d
       where s._file_id = d._file_id and s._line = d._line`,
    );
  }
  await client.query(
    `update landfall.load_file lf
     set rows_loaded = lf.rows_loaded - counted.rows, rows_duplicate = lf.rows_duplicate + counted.rows
     from (select _file_id, count(*) as rows from duplicate group by _file_id) as counted
     where lf.load_id = $1 and lf.file_id = counted._file_id`,
    [loadId],
  );
}

export function sameKey(a: string, b: string, key: readonly string[]): string {
  return key
    .map((name) => `${a}.${pg.escapeIdentifier(name)} = ${b}.${pg.escapeIdentifier(name)}`)
    .join(' and ');
}
