/** Indexes that people have added to a partitioned table: a table that becomes a partition has them before. */

import type pg from 'pg';

/**
 * Makes those that a table lacks. Attaching would make them otherwise, while nobody can read the table. Does nothing where
 * the table has any already: they are made together.
 */
export async function addIndexes(client: pg.ClientBase, parent: string, table: string): Promise<void> {
  const { rows: there } = await client.query(
    'select from pg_index where indrelid = $1::regclass and not indisprimary limit 1',
    [table],
  );
  if (there.length > 0) return;
  const { rows } = await client.query<{ definition: string; unique: boolean; length: number }>(
    `select pg_get_indexdef(i.indexrelid) as definition, i.indisunique as unique,
            length(quote_ident(c.relname)) as length
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = $1::regclass and not i.indisprimary
     order by c.relname`,
    [parent],
  );
  for (const { definition, unique, length } of rows) {
    const create = unique ? 'create unique index' : 'create index';
    // CREATE INDEX name ON ONLY schema.parent USING btree (visitor_id)
    const using = definition.slice(definition.indexOf(' USING ', create.length + 1 + length));
    await client.query(`${create} on ${table}${using}`);
  }
}
