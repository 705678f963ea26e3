/** Names of batches: `2026-11-20/1042`, the UTC day on which its first body came and that body's number in the inbox. Pure. */

import { isDay } from '../../model/day.js';

/** The day of a batch; undefined for what is no name of one. */
export function parseBatch(name: string): string | undefined {
  const day = /^(\d{4}-\d{2}-\d{2})\/[1-9]\d*$/.exec(name)?.[1];
  return day !== undefined && isDay(day) ? day : undefined;
}

export function nameBatch(day: string, firstBody: string): string {
  return `${day}/${firstBody}`;
}
