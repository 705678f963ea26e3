import { createHash } from 'node:crypto';

import pg from 'pg';

/** Quoted names of the tables that a load touches. Identifiers are quoted by the driver, never by hand. */
export interface TableNames {
  /** The partitioned table that readers query. */
  readonly table: string;
  /** The day's partition, qualified. */
  readonly partition: string;
  /** The partition's name and its primary key's name, not qualified. */
  readonly partitionName: string;
  readonly partitionKey: string;
  readonly schema: string;
  readonly date: string;
}

/** A day's partition of `decision` is `decision_2020_05_25`. */
export function tableNames(schema: string, table: string, date: string): TableNames {
  const partition = `${table}_${date.replaceAll('-', '_')}`;
  const quote = pg.escapeIdentifier;
  return {
    schema: quote(schema),
    date,
    table: `${quote(schema)}.${quote(table)}`,
    partition: `${quote(schema)}.${quote(partition)}`,
    partitionName: quote(partition),
    partitionKey: quote(`${partition}_pkey`),
  };
}

/** Where a load's rows of one table are staged, and the name of the primary key that they get there. */
export interface StagingNames {
  /** Qualified. */
  readonly table: string;
  /** Not qualified, like the key's. */
  readonly name: string;
  readonly key: string;
}

export function stagingNames(loadId: string, table: string): StagingNames {
  const name = `load_${BigInt(loadId)}_${table}`;
  const quote = pg.escapeIdentifier;
  return { table: `landfall_staging.${quote(name)}`, name: quote(name), key: quote(`${name}_pkey`) };
}

/** How the names of all staging tables of a load begin. */
export function stagingPrefix(loadId: string): string {
  return `load_${BigInt(loadId)}_`;
}

/**
 * Where the rows of a table are kept that readers do not see, since there is a newer copy. Without a table: where the copies
 * of a source are entered.
 */
export function supersededTable(schema: string, table?: string): string {
  const name = table === undefined ? schema : `${schema}.${table}`;
  return `landfall_superseded.${pg.escapeIdentifier(shorten(name))}`;
}

/** Postgres cuts names of more than 63 bytes, and two might become the same. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= 63) return name;
  return `${name.slice(0, 30)}~${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

export function sameKey(a: string, b: string, key: readonly string[]): string {
  return key
    .map((name) => `${a}.${pg.escapeIdentifier(name)} = ${b}.${pg.escapeIdentifier(name)}`)
    .join(' and ');
}

/** Names of columns for a query, of the row that is called so. */
export function columnsOf(row: string, names: readonly string[]): string {
  return names.map((name) => `${row}.${pg.escapeIdentifier(name)}`).join(', ');
}
