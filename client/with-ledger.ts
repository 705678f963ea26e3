import pg from 'pg';

import { isConnectionLost } from '../warehouse/connection-lost.js';
import type { Place } from './place.js';

/** Lends connections to the warehouse, and says in a sentence what is wrong when there are none to be had. */
export async function withLedger<T>(place: Place, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const { openPool } = await import('../warehouse/pool.js');
  const url = place.postgresUrl().reveal();
  const pool = openPool(url, 2);
  try {
    return await work(pool);
  } catch (error) {
    throw explainPostgres(error, url);
  } finally {
    await pool.end();
  }
}

const undefinedTable = '42P01';
const undefinedColumn = '42703';
const invalidSchema = '3F000';
const readOnly = '25006';
const lockTimeout = '55P03';

/** The error as a sentence that says what to do; others come back as they are. */
export function explainPostgres(error: unknown, url: string): unknown {
  if (error instanceof pg.DatabaseError) {
    if ([undefinedTable, undefinedColumn, invalidSchema].includes(error.code ?? '')) {
      return new Error(
        `The ledger in ${whereIs(url)} is missing or older than this Landfall (${error.message}). Run 'landfall setup'.`,
        { cause: error },
      );
    }
    if (isUnreachable(error)) {
      return new Error(
        `Postgres at ${whereIs(url)} takes no connection now: ${error.message}. Try again when it does; behind a pooler, ` +
          `check that its database and user are configured there.`,
        { cause: error },
      );
    }
    if (error.code === lockTimeout) {
      return new Error(
        `Another session holds a table of Landfall's in ${whereIs(url)} (${error.message}). Nothing was changed; try again ` +
          `when it has ended: pg_stat_activity and pg_locks tell which one.`,
        { cause: error },
      );
    }
    if (error.code === readOnly) {
      return new Error(
        `Postgres at ${whereIs(url)} takes no changes: ${error.message}. Point postgres.url at a server and role that may ` +
          `write; 'landfall check' says what is in the way.`,
        { cause: error },
      );
    }
    if (/^(?:28|3D)/.test(error.code ?? '')) {
      return new Error(
        `Postgres at ${whereIs(url)} refused the connection: ${error.message}. Check user, password and database in ` +
          `postgres.url.`,
        { cause: error },
      );
    }
    return error;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (isUnreachable(error)) {
    return new Error(
      `Postgres at ${whereIs(url)} cannot be reached (${code ?? (error as Error).message}). Check that it runs and that ` +
        `postgres.url leads to it.`,
      { cause: error },
    );
  }
  return error;
}

/** Whether Postgres could not be reached at all, or was lost on the way. */
export function isUnreachable(error: unknown): boolean {
  if (isConnectionLost(error)) return true;
  if (error instanceof pg.DatabaseError) return error.code === tooManyConnections;
  const { code = '' } = error as NodeJS.ErrnoException;
  return unreachable.includes(code) || (error instanceof Error && /timeout/i.test(error.message));
}

const unreachable = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT', 'ENOENT', 'EAI_AGAIN'];
const tooManyConnections = '53300';

/** Host, port and database: no user and no password. */
export function whereIs(url: string): string {
  if (!URL.canParse(url)) return 'the configured address';
  const { host, pathname, searchParams } = new URL(url);
  return `${host === '' ? (searchParams.get('host') ?? 'localhost') : host}${pathname}`;
}
