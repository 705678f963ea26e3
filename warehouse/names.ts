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
