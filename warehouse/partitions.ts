/** What Postgres' catalogue says of the partitions of a table. */

import pg from 'pg';

export interface Partition {
  readonly oid: string;
  /** Quoted and qualified. */
  readonly name: string;
  /** Days that it takes, `YYYY-MM-DD`, whether it has rows of them or not. */
  readonly days: readonly string[];
}

/** All partitions of a table, given by its quoted and qualified name; none of one that is not there. None are locked. */
export async function partitionsOf(db: pg.Pool | pg.ClientBase, table: string): Promise<Partition[]> {
  const { rows } = await db.query<{ oid: string; schema: string; name: string; bound: string }>(
    // Without the partition's oid its expression is written without a lock.
    `select c.oid::text as oid, n.nspname as schema, c.relname as name, pg_get_expr(c.relpartbound, 0) as bound
     from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
     where i.inhparent = to_regclass($1)`,
    [table],
  );
  return rows.map(({ oid, schema, name, bound }) => ({
    oid,
    name: `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`,
    days: bound.match(/\d{4}-\d{2}-\d{2}/g) ?? [],
  }));
}

export function partitionOf(partitions: readonly Partition[], day: string): Partition | undefined {
  return partitions.find(({ days }) => days.includes(day));
}

export function isOfOneDay({ days }: Partition): boolean {
  return days.length === 1;
}

/** Columns of a table that can be written, quoted and in order, so that rows can be copied whatever the order elsewhere. */
export async function columnList(client: pg.ClientBase, table: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
    [table],
  );
  return rows.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
}
