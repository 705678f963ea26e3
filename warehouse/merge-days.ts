/** Puts old days together, so that a table of ten years has some 100 partitions and not 3,650. */

import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { copyPeriod } from './copy-period.js';
import { periodsToMerge, type Period } from './day-layout.js';
import { exchangePeriod, type DayOwner } from './exchange-period.js';
import {
  dropPeriodTables,
  parentName,
  parentOid,
  periodTable,
  takeMergeLock,
  type DayTable,
  type PeriodTable,
} from './period-table.js';
import { partitionsOf, type Partition } from './partitions.js';
import { isLockUnavailable } from './table-lock.js';
import { transaction } from './transaction.js';

export interface MergeLimits {
  /** Months and years at most; the next call goes on. */
  readonly periods: number;
  /** Milliseconds for which a table that others hold is tried again, for each month or year. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
  readonly onPeriod?: (period: Period, partitions: number, left: number) => void;
}

/** How often days may have changed since they were copied, until the next call. */
const mostInVain = 3;

export interface MergedDays {
  /** `2026-03`, `2019` */
  readonly periods: readonly Period[];
  /** Why it ended before its time: others hold the table. Nothing is lost, the next call goes on. */
  readonly waitsFor?: string;
}

/** Months and years of a table whose days are to be put together, oldest first. */
export async function crowdedPeriods(db: pg.Pool, of: DayTable): Promise<Period[]> {
  return periodsToMerge(await partitionsOf(db, parentName(of))).map(({ period }) => period);
}

/**
 * Puts months and years together, oldest first, each in a transaction of its own that readers do not notice. Killed anywhere,
 * it leaves the days as they were or the period in their place; what was copied by then is used by the next call.
 */
export async function mergeDays(
  pool: pg.Pool,
  of: DayTable & DayOwner,
  limits: MergeLimits,
): Promise<MergedDays> {
  const merged: Period[] = [];
  let inVain = 0;
  const end = async (waitsFor?: string): Promise<MergedDays> => {
    await note(pool, of, waitsFor);
    return { periods: merged, ...(waitsFor === undefined ? {} : { waitsFor }) };
  };
  try {
    for (;;) {
      limits.signal?.throwIfAborted();
      const oid = await parentOid(pool, of);
      const crowded = periodsToMerge(await partitionsOf(pool, parentName(of)));
      await sweep(
        pool,
        oid,
        crowded.map(({ period }) => period),
      );
      const [next] = crowded;
      if (next === undefined || merged.length >= limits.periods) return await end();
      const { period, partitions } = next;
      limits.onPeriod?.(period, partitions.length, crowded.length);
      const to = periodTable(of, oid, period);
      const deadline = Date.now() + limits.patience;
      if (await mergePeriod(pool, of, to, partitions, deadline, limits.signal)) merged.push(period);
      else if (++inVain === mostInVain)
        return await end(`The days of ${period} change while they are copied.`);
    }
  } catch (error) {
    if (!isBusy(error)) throw error;
    return end(error.message);
  }
}

/** Returns false where a day came, went or changed meanwhile. */
async function mergePeriod(
  pool: pg.Pool,
  of: DayTable & DayOwner,
  to: PeriodTable,
  partitions: readonly Partition[],
  deadline: number,
  signal?: AbortSignal,
): Promise<boolean> {
  for (;;) {
    try {
      await copyPeriod(pool, of, to, partitions, signal);
      return await exchangePeriod(pool, of, to, partitions, signal);
    } catch (error) {
      // A day's partition was exchanged or dropped since it was listed.
      if (error instanceof pg.DatabaseError && error.code === '42P01') return false;
      const busy = asBusy(error, of);
      if (!busy) throw error;
      if (Date.now() >= deadline) throw busy;
      await note(pool, of, busy.message);
      await sleep(busy.retryIn ?? 5_000, undefined, { signal });
    }
  }
}

/** What an earlier call left behind of periods that are not to be merged any more. */
async function sweep(pool: pg.Pool, oid: string, wanted: readonly Period[]): Promise<void> {
  await transaction(pool, async (client) => {
    await takeMergeLock(client, oid);
    await dropPeriodTables(client, oid, wanted);
  });
}

function isBusy(error: unknown): error is Failure {
  return error instanceof Failure && error.type === failureTypes.tablesBusy;
}

/** A lock that stood in the way before the exchange is one too. */
function asBusy(error: unknown, of: DayTable): Failure | undefined {
  if (isBusy(error)) return error;
  if (!isLockUnavailable(error) && !isOutOfLocks(error)) return undefined;
  return new Failure(
    failureTypes.tablesBusy,
    `Days of ${of.schema}.${of.table} are not put together yet: Postgres says '${error.message}'. Nothing has ` +
      `changed; it is tried again.`,
    { cause: error },
  );
}

/** Others read so many partitions that no lock is left: what is to be mended here, and passes. */
function isOutOfLocks(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.code === '53200';
}

/** Says what is waited for, where `landfall check` finds it. */
async function note(pool: pg.Pool, of: DayTable, waitsFor: string | undefined): Promise<void> {
  await pool.query(
    `insert into landfall.partitioned_table as t (name, waits_for, waits_since)
     values ($1, $2, case when $2::text is not null then now() end)
     on conflict (name) do update
       set waits_for = excluded.waits_for,
           waits_since = case when excluded.waits_for is not null then coalesce(t.waits_since, now()) end`,
    [parentName(of), waitsFor ?? null],
  );
}
