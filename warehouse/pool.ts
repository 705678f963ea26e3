import pg from 'pg';

import { beginStatement } from './session.js';
import { transaction } from './transaction.js';

/** Milliseconds after which a connection, or a statement, is given up. Without: ten seconds, and never. */
export interface PoolTimeouts {
  readonly connect?: number;
  readonly statement?: number;
}

/** Listens from the first: the pool does so only while a connection is idle, and what nobody hears ends the process. */
class HeardClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    // Whoever uses the connection learns of it by the statement that fails.
    this.on('error', () => undefined);
  }
}

/**
 * Connections to the warehouse. `size` bounds them: a worker needs one a staging activity and a few for the ledger.
 * An idle connection that the server ends (a restart, say) is dropped here and made anew when it is next needed.
 *
 * Each statement of `pool.query` is a transaction of its own, which begins like all others (see session.ts). Nothing is sent
 * as a startup parameter but the name: poolers refuse others.
 */
export function openPool(url: string, size = 10, { connect, statement }: PoolTimeouts = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    application_name: 'landfall',
    connectionTimeoutMillis: connect ?? 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    Client: HeardClient,
    // The server ends the statement; where it does not answer any more, we end the connection.
    ...(statement === undefined ? {} : { query_timeout: statement + 2_000 }),
  });
  pool.on('error', () => undefined);
  const begin = beginStatement(statement);
  pool.query = ((text: string, values?: unknown[]) =>
    transaction(pool, (client) => client.query(text, values))) as pg.Pool['query'];
  return Object.assign(pool, { begin });
}
