/** Names of batches: `2026-11-20/1042`, the UTC day on which its first body came and that body's number in the inbox. Pure. */

import { isDay } from '../../model/day.js';

/** The largest bigint of Postgres', which numbers the bodies. */
const lastBody = 2n ** 63n - 1n;

/** The day of a batch; undefined for what is no name of one. */
export function parseBatch(name: string): string | undefined {
  const [, day = '', firstBody = ''] = /^(\d{4}-\d{2}-\d{2})\/([1-9]\d{0,18})$/.exec(name) ?? [];
  return isDay(day) && BigInt(firstBody) <= lastBody ? day : undefined;
}

export function nameBatch(day: string, firstBody: string): string {
  return `${day}/${firstBody}`;
}
