import pg from 'pg';

/** Milliseconds after which a connection, or a statement, is given up. Without: ten seconds, and never. */
export interface PoolTimeouts {
  readonly connect?: number;
  readonly statement?: number;
}

/**
 * Connections to the warehouse. `size` bounds them: a worker needs one a staging activity and a few for the ledger.
 * An idle connection that the server ends (a restart, say) is dropped here and made anew when it is next needed.
 */
export function openPool(url: string, size = 10, { connect, statement }: PoolTimeouts = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    application_name: 'landfall',
    connectionTimeoutMillis: connect ?? 10_000,
    keepAlive: true,
    // The server ends the statement; where it does not answer any more, we end the connection.
    ...(statement === undefined ? {} : { statement_timeout: statement, query_timeout: statement + 2_000 }),
  });
  pool.on('error', () => undefined);
  return pool;
}
