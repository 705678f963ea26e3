import { setTimeout } from 'node:timers/promises';

import type pg from 'pg';

import { isSettled } from '../../model/delivery.js';
import { listDeliveries, type ListedDelivery } from '../queries/list-deliveries.js';

const lookEvery = 300;

/**
 * Tells every change of these deliveries until each of them has come to rest, or waits for its marker; or until the
 * signal. Returns them as they are then.
 */
export async function watchDeliveries(
  pool: pg.Pool,
  ids: readonly string[],
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly ListedDelivery[]> {
  const wanted = new Set(ids);
  const told = new Map<string, string>();
  for (;;) {
    const deliveries = await listDeliveries(pool, {
      ...{ source: undefined, from: undefined, to: undefined },
      ids: [...wanted],
    });
    for (const delivery of deliveries) {
      const line = describe(delivery);
      if (told.get(delivery.delivery) === line) continue;
      told.set(delivery.delivery, line);
      tell(line);
    }
    if (deliveries.length === wanted.size && deliveries.every(isQuiet)) return deliveries;
    if (signal.aborted) return deliveries;
    await setTimeout(lookEvery, undefined, { signal }).catch(() => undefined);
  }
}

/** A delivery that was looked at and waits for its marker says so; a new one only that it has not been looked at. */
function isQuiet({ finality, reason }: ListedDelivery): boolean {
  return isSettled(finality) || (finality === 'waiting' && reason?.includes('awaited') === true);
}

function describe({ delivery, finality, rows, quarantined, duplicates, reason }: ListedDelivery): string {
  const head = `  ${delivery.padEnd(36)} ${finality.padEnd(9)}`;
  if (rows === null) return finality === 'loading' ? head : `${head} ${reason ?? ''}`;
  const more = [
    ...(quarantined ? [`${number(quarantined)} quarantined`] : []),
    ...(duplicates ? [`${number(duplicates)} duplicates removed`] : []),
  ];
  return [`${head} ${number(rows)} rows`, ...more].join(', ');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
