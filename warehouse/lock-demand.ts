import type pg from 'pg';

/** What a query of whole tables takes of the server's lock table, in which all sessions share. */
export interface LockDemand {
  readonly schema: string;
  /** Of all partitioned tables of the schema. */
  readonly partitions: number;
  /** Of a query that reads all of them: a lock for each partition and each index. */
  readonly locks: number;
  /** Settings of the server, whose product is about the size of its lock table. */
  readonly perTransaction: number;
  readonly connections: number;
}

/** By schema, for those of the schemas that have partitioned tables. */
export async function lockDemand(pool: pg.Pool, schemas: readonly string[]): Promise<LockDemand[]> {
  const { rows } = await pool.query<LockDemand>(
    `select n.nspname as schema,
            count(*) filter (where c.relispartition)::integer as partitions,
            sum(1 + (select count(*) from pg_index i where i.indrelid = c.oid))::integer as locks,
            current_setting('max_locks_per_transaction')::integer as "perTransaction",
            current_setting('max_connections')::integer
              + current_setting('max_prepared_transactions')::integer as connections
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any ($1::text[]) and (c.relkind = 'p' or c.relkind = 'r' and c.relispartition)
     group by n.nspname order by n.nspname`,
    [schemas],
  );
  return rows;
}

/** Tables that wait to be rid of old days' partitions: by `"schema"."table"`, why and since when. */
export async function waitingTables(
  pool: pg.Pool,
): Promise<{ readonly name: string; readonly waits_for: string; readonly waits_since: Date }[]> {
  const { rows } = await pool.query<{ name: string; waits_for: string; waits_since: Date }>(
    `select name, waits_for, waits_since from landfall.partitioned_table where waits_for is not null order by name`,
  );
  return rows;
}
