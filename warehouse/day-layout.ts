/** Which days of a table have a partition of their own, and which lie in one of their month. Pure. */

import { addDays } from '../model/day.js';

/**
 * The newest days keep partitions of their own: they are the ones that are loaded again, and exchanging a partition is
 * cheaper than replacing rows. With the months of ten years that makes some 170 partitions (docs/decisions/0015).
 */
export const ownDays = 35;

/** `2026-03` */
export function monthOf(day: string): string {
  return day.slice(0, 7);
}

export function daysOfMonth(month: string): string[] {
  const days: string[] = [];
  for (let day = `${month}-01`; monthOf(day) === month; day = addDays(day, 1)) days.push(day);
  return days;
}

/**
 * Months, oldest first, whose days are to be put together: those without any of the newest days. `days` are the days with
 * partitions of their own. A day that is alone in its month stays: it would be one partition either way.
 */
export function monthsToMerge(days: readonly string[]): string[] {
  const newestFirst = [...days].sort().reverse();
  const kept = new Set(newestFirst.slice(0, ownDays).map(monthOf));
  const counts = new Map<string, number>();
  for (const month of days.map(monthOf)) counts.set(month, (counts.get(month) ?? 0) + 1);
  return [...counts].flatMap(([month, count]) => (count > 1 && !kept.has(month) ? [month] : [])).sort();
}

/**
 * Whether a day that has no partition yet goes into one of its month from the start: an old day, as a backfill brings
 * them. Where other days of the month have partitions of their own it gets one too; they are put together later.
 */
export function beginsMonth(day: string, days: readonly string[]): boolean {
  if (days.some((other) => monthOf(other) === monthOf(day))) return false;
  return days.filter((other) => other > day).length >= ownDays;
}
