/** The tables of copies that readers do not see, beside those of a source whose rows are merged. */

import pg from 'pg';

import type { Landing } from '../vendors/table.js';
import { supersededTable } from './names.js';

/**
 * Makes what is missing: a table for each of the source's with its columns, also those that it got later, and one in which
 * every copy is entered once. Readers' views never see them. Idempotent.
 */
export async function prepareSuperseded(
  client: pg.ClientBase,
  schema: string,
  { how, tables }: Pick<Landing, 'how' | 'tables'>,
): Promise<void> {
  if (how !== 'merge') return;
  const key = tables[0].key.map(pg.escapeIdentifier).join(', ');
  for (const { name } of tables) {
    const visible = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    const store = supersededTable(schema, name);
    await createOnce(client, store, `(like ${visible})`, [`(${key})`, '(_file_id)']);
    await addColumns(client, visible, store);
  }
  const first = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(tables[0].name)}`;
  await createOnce(
    client,
    supersededTable(schema),
    `as select ${key}, _file_id, _line, 0::bigint as _lines, ''::text as _status, ''::text as _by
     from ${first} with no data`,
    [`(${key})`, '(_file_id)'],
  );
}

async function createOnce(
  client: pg.ClientBase,
  table: string,
  definition: string,
  indexes: readonly string[],
): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    table,
  ]);
  if (rows[0]?.there === true) return;
  await client.query(`create table ${table} ${definition}`);
  for (const columns of indexes) await client.query(`create index on ${table} ${columns}`);
}

async function addColumns(client: pg.ClientBase, from: string, to: string): Promise<void> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type
     from pg_attribute a
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and not exists (
       select from pg_attribute b where b.attrelid = $2::regclass and b.attname = a.attname and not b.attisdropped
     )
     order by attnum`,
    [from, to],
  );
  for (const { name, type } of rows) {
    await client.query(`alter table ${to} add column ${pg.escapeIdentifier(name)} ${type}`);
  }
}
