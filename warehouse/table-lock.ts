/**
 * Locking a table that others read. Whoever waits for an exclusive lock makes every new reader wait behind it. So steps that
 * need one ask whether it can be had at once, and wait for it only once a minute, for 0.8 s at most: a table's steps together,
 * whatever their number. What a step did not wait for is left to the next one, so that short queries hold nobody up.
 */

import pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { exclusiveStep } from './session.js';

/** Seconds between the turns of a table, and milliseconds that one may be waited for in a turn. */
const turnsEvery = 60;
const longestWait = 800;
/** Milliseconds until a step is tried again: between these two, so that steps do not come in step. */
const retryFrom = 5_000;
const retryUpTo = 10_000;

export interface TableToLock {
  /** The partitioned table, quoted and qualified. */
  readonly table: string;
  /** Those of its partitions that will be detached, quoted and qualified. */
  readonly partitions: readonly string[];
  /** What has not been done yet, as the beginning of a sentence: `Delivery x/2026-03-01 is not published yet`. */
  readonly undone: string;
}

/**
 * Asked before the work that ends in `lockTable` begins. Returns whether it may wait for the lock. Throws `TablesBusy` where
 * it may not and others hold the table.
 */
export async function takeTurn(pool: pg.Pool, wanted: TableToLock): Promise<boolean> {
  const { rowCount } = await pool.query(
    `insert into landfall.partitioned_table as t (name, turn_at) values ($1, clock_timestamp())
     on conflict (name) do update set turn_at = clock_timestamp()
     where t.turn_at is null or abs(extract(epoch from clock_timestamp() - t.turn_at)) > $2`,
    [wanted.table, turnsEvery],
  );
  if (rowCount === 1) return true;
  const holders = await holdersOf(pool, wanted);
  if (holders.length > 0) throw tablesBusy(wanted, holders);
  return false;
}

/**
 * Keeps everybody else out of a table and some of its partitions until the transaction ends. Everything else that the
 * transaction does comes before. Throws `TablesBusy`, which names who holds them.
 */
export async function lockTable(client: pg.ClientBase, wanted: TableToLock, mayWait: boolean): Promise<void> {
  const { table, partitions } = wanted;
  const only = partitions.map((name) => `only ${name}`).join(', ');
  await naming(client, wanted, async () => {
    await lockLayout(client, table);
    // Readers are let be, but an autovacuum that is at them is ended by it.
    if (only !== '') await client.query(`lock table ${only} in share update exclusive mode`);
    await client.query(exclusiveStep(`${longestWait}ms`));
    const begun = performance.now();
    await client.query(`lock table only ${table} in access exclusive mode${mayWait ? '' : ' nowait'}`);
    if (only !== '') await client.query(`lock table ${only} in access exclusive mode nowait`);
    if (mayWait) await shortenTurn(client, table, performance.now() - begun);
  });
}

/** The next turn comes as much sooner as this one was shorter than it might have been. */
async function shortenTurn(client: pg.ClientBase, table: string, waited: number): Promise<void> {
  const unused = Math.max(0, 1 - waited / longestWait);
  await client.query(
    `update landfall.partitioned_table set turn_at = clock_timestamp() - $2 * interval '1 second' where name = $1`,
    [table, unused * turnsEvery],
  );
}

/** Until the transaction ends nobody writes into these partitions. Readers are let be. Throws `TablesBusy`. */
export async function keepWritersOut(client: pg.ClientBase, wanted: TableToLock): Promise<void> {
  const only = wanted.partitions.map((name) => `only ${name}`).join(', ');
  await naming(client, wanted, async () => {
    await lockLayout(client, wanted.table);
    await client.query(`lock table ${only} in share mode`);
  });
}

/** A lock that cannot be had becomes `TablesBusy`, which names who holds it. */
async function naming(client: pg.ClientBase, wanted: TableToLock, lock: () => Promise<void>): Promise<void> {
  await client.query('savepoint before_lock');
  try {
    await lock();
  } catch (error) {
    if (!isLockUnavailable(error)) throw error;
    await client.query('rollback to savepoint before_lock');
    throw tablesBusy(wanted, await holdersOf(client, wanted), error);
  }
}

/**
 * Until the transaction ends no other one changes which partitions a table has. Readers and writers are let be. It is waited
 * for as long as Postgres needs to end an autovacuum that stands in the way, and two seconds more.
 */
export async function lockLayout(client: pg.ClientBase, table: string): Promise<void> {
  await client.query(
    `select set_config('lock_timeout',
       (extract(epoch from current_setting('deadlock_timeout')::interval) * 1000 + 2000)::integer::text, true)`,
  );
  await client.query(`lock table only ${table} in share update exclusive mode`);
}

/** Lock timeout, lock not available, or a deadlock that was broken. */
export function isLockUnavailable(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && ['55P03', '40P01'].includes(error.code ?? '');
}

/** A session that holds a lock. What Postgres does not tell of other roles' sessions is null. */
export interface Holder {
  readonly pid: number | null;
  readonly application: string | null;
  readonly account: string | null;
  readonly state: string | null;
  readonly query_start: Date | null;
}

async function holdersOf(
  db: pg.Pool | pg.ClientBase,
  { table, partitions }: Pick<TableToLock, 'table' | 'partitions'>,
): Promise<Holder[]> {
  // A prepared transaction has no process; an autovacuum is ended by whoever asks for the lock.
  const { rows } = await db.query<Holder>(
    `select distinct on (coalesce(a.leader_pid, l.pid)) coalesce(a.leader_pid, l.pid) as pid,
            a.application_name as application, a.usename as account, a.state, a.query_start
     from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
       and l.database = (select oid from pg_database where datname = current_database())
       and l.relation = any (select to_regclass(name) from unnest($1::text[]) as name)
       and a.backend_type is distinct from 'autovacuum worker'
     order by coalesce(a.leader_pid, l.pid), a.query_start`,
    [[table, ...partitions]],
  );
  return rows;
}

export function tablesBusy(
  { table, undone }: Pick<TableToLock, 'table' | 'undone'>,
  holders: readonly Holder[],
  cause?: Error,
): Failure {
  const name = table.replaceAll('"', '');
  const by =
    holders.length === 0 ? 'a session that has let go of it since' : holders.map(describe).join(', ');
  const [first] = holders;
  const urgent =
    typeof first?.pid !== 'number'
      ? ''
      : ` If it is urgent, end that session: select pg_terminate_backend(${first.pid}).`;
  return new Failure(
    failureTypes.tablesBusy,
    `${undone}: ${name} is held by ${by}. Nothing has changed, readers see what they saw before; the step is tried again ` +
      `within ${retryUpTo / 1_000} s, and new readers do not wait for it longer than a second a minute in all.${urgent}`,
    { cause, retryIn: Math.round(retryFrom + Math.random() * (retryUpTo - retryFrom)) },
  );
}

function describe({ pid, application, account, state, query_start }: Holder): string {
  if (pid === null) return 'a prepared transaction (see pg_prepared_xacts)';
  const told = [
    ...(application ? [application] : []),
    ...(account ? [`user ${account}`] : []),
    ...(state && state !== 'active' ? [state] : []),
    query_start ? `query start ${query_start.toISOString()}` : 'grant pg_read_all_stats to see since when',
  ];
  return `pid ${pid} (${told.join(', ')})`;
}
