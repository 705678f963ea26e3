/** Which days of a table have a partition of their own, and which lie in one of their month or year. Pure. */

import { addDays } from '../model/day.js';

/**
 * The newest days keep partitions of their own: they are the ones that are loaded again, and exchanging a partition is
 * cheaper than replacing rows. Then come months, then years. Ten years are some 100 partitions (docs/decisions/0015).
 */
export const ownDays = 35;
export const ownMonths = 24;

/** What has a partition: `2026-03-01`, `2026-03` or `2026`. */
export type Period = string;

/** The days that lie in a partition, whether it has rows of them or not. */
export interface Days {
  readonly days: readonly string[];
}

export function monthOf(day: string): Period {
  return day.slice(0, 7);
}

function yearOf(day: string): Period {
  return day.slice(0, 4);
}

/** All days of a month or a year. */
export function daysOf(period: Period): string[] {
  const days: string[] = [];
  const first = period.length === 4 ? `${period}-01-01` : `${period}-01`;
  for (let day = first; day.startsWith(period); day = addDays(day, 1)) days.push(day);
  return days;
}

/**
 * Months and years, oldest first, whose partitions are to be put together, with these partitions. Days become months before
 * they become years, so that no exchange, which keeps readers out, is of more than 31 partitions.
 */
export function periodsToMerge<P extends Days>(
  partitions: readonly P[],
): { period: Period; partitions: P[] }[] {
  const rule = periodRule(partitions);
  const perMonth = new Map<Period, number>();
  for (const { days } of partitions) {
    const month = monthOf(days[0] ?? '');
    perMonth.set(month, (perMonth.get(month) ?? 0) + 1);
  }
  const crowdedYears = new Set([...perMonth].flatMap(([month, count]) => (count > 1 ? [yearOf(month)] : [])));
  const groups = new Map<Period, P[]>();
  for (const partition of partitions) {
    const day = partition.days[0] ?? '';
    const wide = rule(day);
    const period = wide !== undefined && crowdedYears.has(wide) ? monthOf(day) : wide;
    if (period !== undefined) groups.set(period, [...(groups.get(period) ?? []), partition]);
  }
  // One that is alone in its period stays: it would be one partition either way.
  return [...groups]
    .flatMap(([period, group]) => (group.length > 1 ? [{ period, partitions: group }] : []))
    .sort((a, b) => a.period.localeCompare(b.period));
}

/**
 * The month or year that a day without a partition begins one of: an old day, as a backfill brings them. Undefined for a day
 * that gets a partition of its own, as it does where others of its period have theirs: these are put together later.
 */
export function periodToBegin(day: string, partitions: readonly Days[]): Period | undefined {
  const newer = partitions.filter(({ days }) => days.length === 1 && (days[0] ?? '') > day);
  if (newer.length < ownDays) return undefined;
  const free = (period: Period): boolean =>
    partitions.every(({ days }) => !days.some((other) => other.startsWith(period)));
  if (!free(monthOf(day))) return undefined;
  const period = periodRule(partitions)(day);
  return period !== undefined && free(period) ? period : monthOf(day);
}

/** By the day: the month or year whose partition it belongs into; undefined for a day that keeps its own. */
function periodRule(partitions: readonly Days[]): (day: string) => Period | undefined {
  const newestFirst = (periods: Iterable<string>): string[] => [...new Set(periods)].sort().reverse();
  const single = partitions.flatMap(({ days }) => (days.length === 1 ? days : []));
  const monthsOfDays = new Set(newestFirst(single).slice(0, ownDays).map(monthOf));
  const months = newestFirst(
    partitions.filter(({ days }) => days.length <= 31).flatMap(({ days }) => days.map(monthOf)),
  );
  const monthsOfTheirOwn = months.filter((month) => !monthsOfDays.has(month)).slice(0, ownMonths);
  const yearsOfMonths = new Set([...monthsOfDays, ...monthsOfTheirOwn].map(yearOf));
  const isFull = monthsOfTheirOwn.length === ownMonths;
  return (day) => {
    if (monthsOfDays.has(monthOf(day))) return undefined;
    return isFull && !yearsOfMonths.has(yearOf(day)) ? yearOf(day) : monthOf(day);
  };
}
