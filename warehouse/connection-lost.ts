import pg from 'pg';

/**
 * Whether an error says that a connection to Postgres, or to a pooler before it, is gone: what ran on it was rolled back,
 * and another connection may succeed.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return lostStates.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return lostCodes.includes(code) || /Connection (terminated|ended)|not queryable|was closed/.test(message);
}

/** Connection exceptions, among them all that pgbouncer says; ended by an administrator, a crash or a timeout while idle. */
const lostStates = /^(08...|57P0[1235]|25P03)$/;

const lostCodes = [
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
];
