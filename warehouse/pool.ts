import pg from 'pg';

/**
 * Connections to the warehouse. `size` bounds them: a worker needs one a staging activity and a few for the ledger.
 * An idle connection that the server ends (a restart, say) is dropped here and made anew when it is next needed.
 */
export function openPool(url: string, size = 10): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    application_name: 'landfall',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  pool.on('error', () => undefined);
  return pool;
}
