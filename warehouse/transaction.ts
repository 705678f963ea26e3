import type pg from 'pg';

/**
 * Runs `work` in one transaction on one connection: committed when it returns, rolled back when it throws.
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
  const client = await pool.connect();
  // A server that dies between two statements is reported here as well as by the next query.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let broken: Error | undefined;
  let cancelling: Cancelling | undefined;
  try {
    await client.query('begin');
    if (signal) cancelling = await cancelOnAbort(pool, client, signal);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    cancelling?.stop();
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    cancelling?.stop();
    client.off('error', ignore);
    // A cancellation that is late would meet what the connection does next.
    client.release(broken ?? cancelling?.sent());
  }
}

interface Cancelling {
  readonly sent: () => boolean;
  readonly stop: () => void;
}

async function cancelOnAbort(pool: pg.Pool, client: pg.PoolClient, signal: AbortSignal): Promise<Cancelling> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    pool.query('select pg_cancel_backend($1)', [rows[0]?.pid]).catch(() => undefined);
  };
  const begin = (): void => {
    cancel();
    // Postgres forgets a cancellation that comes between two statements.
    timer = setInterval(cancel, 500);
  };
  signal.addEventListener('abort', begin, { once: true });
  return {
    sent: () => timer !== undefined,
    stop: () => {
      signal.removeEventListener('abort', begin);
      clearInterval(timer);
    },
  };
}
