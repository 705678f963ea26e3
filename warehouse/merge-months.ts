/** Puts the days of old months together, so that a table of ten years has some 170 partitions and not 3,650. */

import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { copyMonth } from './copy-month.js';
import { monthOf, monthsToMerge } from './day-layout.js';
import { exchangeMonth, type DayOwner } from './exchange-month.js';
import { dropMonthTables, monthTable, parentName, takeMonthsLock, type DayTable } from './month-table.js';
import { ofOneDay, partitionsOf, type Partition } from './partitions.js';
import { isLockUnavailable } from './table-lock.js';
import { transaction } from './transaction.js';

export interface MergeLimits {
  /** Months at most; the next call goes on. */
  readonly months: number;
  /** Milliseconds for which a table that others hold is tried again. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
  readonly onMonth?: (month: string, days: number, left: number) => void;
}

/** How often days may have changed since they were copied, until the next call. */
const mostInVain = 3;

export interface MergedMonths {
  readonly months: readonly string[];
  /** Why it ended before its time: others hold the table. Nothing is lost, the next call goes on. */
  readonly waitsFor?: string;
}

/** Months of a table whose days are to be put together, oldest first. */
export async function crowdedMonths(db: pg.Pool, of: DayTable): Promise<string[]> {
  return monthsToMerge(ofOneDay(await partitionsOf(db, parentName(of))).flatMap(({ days }) => days));
}

/**
 * Puts months together, oldest first, each in a transaction of its own that readers do not notice. Killed anywhere, it leaves
 * the days as they were or the month in their place; what was copied by then is used by the next call.
 */
export async function mergeMonths(
  pool: pg.Pool,
  of: DayTable & DayOwner,
  limits: MergeLimits,
): Promise<MergedMonths> {
  const merged: string[] = [];
  let inVain = 0;
  const { signal } = limits;
  const deadline = Date.now() + limits.patience;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const days = ofOneDay(await partitionsOf(pool, parentName(of)));
      const months = monthsToMerge(days.flatMap((partition) => partition.days));
      await sweep(pool, of, months);
      const [month] = months;
      if (month === undefined || merged.length >= limits.months) {
        await note(pool, of, undefined);
        return { months: merged };
      }
      const partitions = days.filter(({ days: [day = ''] }) => monthOf(day) === month);
      limits.onMonth?.(month, partitions.length, months.length);
      if (await mergeMonth(pool, of, month, partitions, deadline, signal)) merged.push(month);
      else if (++inVain === mostInVain) {
        const waitsFor = `The days of ${month} change while they are copied.`;
        await note(pool, of, waitsFor);
        return { months: merged, waitsFor };
      }
    }
  } catch (error) {
    if (!isBusy(error)) throw error;
    await note(pool, of, error.message);
    return { months: merged, waitsFor: error.message };
  }
}

/** Returns false where a day came, went or changed meanwhile. */
async function mergeMonth(
  pool: pg.Pool,
  of: DayTable & DayOwner,
  month: string,
  partitions: readonly Partition[],
  deadline: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const table = await monthTable(pool, of, month);
  for (;;) {
    try {
      await copyMonth(pool, of, table, partitions, signal);
      return await exchangeMonth(pool, of, table, partitions, signal);
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

async function sweep(pool: pg.Pool, of: DayTable, months: readonly string[]): Promise<void> {
  const table = await monthTable(pool, of, '0000-00');
  await transaction(pool, async (client) => {
    await takeMonthsLock(client, table);
    await dropMonthTables(client, table.parentOid, months);
  });
}

function isBusy(error: unknown): error is Failure {
  return error instanceof Failure && error.type === failureTypes.tablesBusy;
}

/** A lock that stood in the way before the exchange is one too. */
function asBusy(error: unknown, of: DayTable): Failure | undefined {
  if (isBusy(error)) return error;
  if (!isLockUnavailable(error)) return undefined;
  return new Failure(
    failureTypes.tablesBusy,
    `Days of ${of.schema}.${of.table} are not put together yet: another session holds them (${error.message}). Nothing ` +
      `has changed; it is tried again.`,
    { cause: error },
  );
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
