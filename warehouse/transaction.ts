import type pg from 'pg';

import { isConnectionLost } from './connection-lost.js';
import { beginStatement } from './session.js';

/**
 * Runs `work` in one transaction on one connection: committed when it returns, rolled back when it throws. It reads
 * committed data, under settings of ours and not of the role (see session.ts).
 * A connection whose rollback fails is closed rather than given back.
 *
 * On an abort the statement that runs is cancelled, so that a stopping worker does not wait for an index to be built.
 */
export async function transaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const client = await begin(pool);
  let broken: Error | undefined;
  let cancelling: Cancelling | undefined;
  try {
    if (signal) cancelling = await cancelOnAbort(pool, client, signal);
    const result = await work(client);
    await cancelling?.stop();
    await client.query('commit');
    return result;
  } catch (error) {
    await cancelling?.stop();
    if (isUnanswered(error)) broken = error;
    else {
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
    }
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken ?? cancelling?.sent());
  }
}

/** Of a pool that has its own way to begin. */
interface WithBegin {
  readonly begin?: string;
}

const usualBegin = beginStatement();

/** A connection that lay idle may be gone without our knowing, and nothing has been done on it yet. */
const attempts = 3;

async function begin(pool: pg.Pool & WithBegin): Promise<pg.PoolClient> {
  for (let attempt = 1; ; attempt += 1) {
    const client = await pool.connect();
    // A server that dies between two statements is reported here as well as by the next query.
    client.on('error', ignore);
    try {
      await client.query(pool.begin ?? usualBegin);
      return client;
    } catch (error) {
      client.off('error', ignore);
      client.release(true);
      if (attempt === attempts || !isConnectionLost(error)) throw error;
    }
  }
}

function ignore(): void {
  // The next query fails.
}

/** The server did not answer in `query_timeout`: it would not answer a rollback either. */
function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}

interface Cancelling {
  readonly sent: () => boolean;
  /** When it returns nothing is cancelled any more. */
  readonly stop: () => Promise<void>;
}

/**
 * Cancels the statements of this transaction, and of no other: behind a pooler the next transaction in the same session of
 * Postgres may be anybody's.
 */
async function cancelOnAbort(pool: pg.Pool, client: pg.PoolClient, signal: AbortSignal): Promise<Cancelling> {
  const { rows } = await client.query<{ pid: number; id: string }>(
    `select pid, virtualxid as id from pg_locks where locktype = 'virtualxid' and pid = pg_backend_pid()`,
  );
  const own = [rows[0]?.pid, rows[0]?.id];
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<unknown> | undefined;
  const cancel = (): void => {
    underWay ??= pool
      .query(
        `select pg_cancel_backend(pid) from pg_locks where locktype = 'virtualxid' and pid = $1 and virtualxid = $2`,
        own,
      )
      .catch(() => undefined)
      .finally(() => (underWay = undefined));
  };
  const start = (): void => {
    cancel();
    // Postgres forgets a cancellation that comes between two statements.
    timer = setInterval(cancel, 500);
  };
  signal.addEventListener('abort', start, { once: true });
  return {
    sent: () => timer !== undefined,
    stop: async () => {
      signal.removeEventListener('abort', start);
      clearInterval(timer);
      await underWay;
    },
  };
}
