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
}

/** A day's partition of `decision` is `decision_2020_05_25`. */
export function tableNames(schema: string, table: string, date: string): TableNames {
  const partition = `${table}_${date.replaceAll('-', '_')}`;
  const quote = pg.escapeIdentifier;
  return {
    schema: quote(schema),
    table: `${quote(schema)}.${quote(table)}`,
    partition: `${quote(schema)}.${quote(partition)}`,
    partitionName: quote(partition),
    partitionKey: quote(`${partition}_pkey`),
  };
}

/** Where a load is staged, and the name of the primary key it gets there. */
export function stagingNames(loadId: string): { table: string; key: string } {
  return { table: `landfall_staging.load_${BigInt(loadId)}`, key: `load_${BigInt(loadId)}_pkey` };
}
