import { setTimeout } from 'node:timers/promises';

import type pg from 'pg';

import { isSettled } from '../../model/delivery.js';
import { listDeliveries, type ListedDelivery } from '../queries/list-deliveries.js';
import { patiently } from './patiently.js';

const lookEvery = 300;

export interface Watched {
  /** Deliveries that are known by name. */
  readonly ids: readonly string[];
  /** More of them, by source, that are still being looked for. */
  readonly lookups?: readonly Promise<readonly string[]>[];
  /** Sources whose deliveries are made of what is sent to them … */
  readonly sentTo: readonly string[];
  /** … until this settles. */
  readonly sending: Promise<void>;
}

/**
 * Tells every change of these deliveries until each of them has come to rest, or waits for its marker, and nothing that was
 * sent waits in the inbox; or until the signal. Returns them as they are then, those of what was sent last. Throws what
 * `sending` and the lookups throw.
 */
export async function watchDeliveries(
  pool: pg.Pool,
  { ids, lookups = [], sentTo, sending }: Watched,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly ListedDelivery[]> {
  const wanted = new Set(ids);
  const told = new Map<string, string>();
  const found = lookups.map((lookup) => lookup.then((more) => more.forEach((id) => wanted.add(id))));
  const sent = settledness(Promise.all([sending, ...found]));
  const look = async () => {
    // In this order: what is gathered in between is among the deliveries.
    const isAllKnown = sent() && !(await isAnyWaiting(pool, sentTo));
    const named = await listDeliveries(pool, { ...anyDelivery, ids: [...wanted] });
    const made = await Promise.all(sentTo.map((source) => listDeliveries(pool, { ...anyDelivery, source })));
    return { isAllKnown, named, deliveries: [...named, ...made.flat()] };
  };
  for (;;) {
    const { isAllKnown, named, deliveries } = await patiently(look, signal);
    for (const delivery of deliveries) {
      const line = describe(delivery);
      if (told.get(delivery.delivery) === line) continue;
      told.set(delivery.delivery, line);
      tell(line);
    }
    if (isAllKnown && named.length === wanted.size && deliveries.every(isQuiet)) return deliveries;
    if (signal.aborted) return deliveries;
    await setTimeout(lookEvery, undefined, { signal }).catch(() => undefined);
  }
}

const anyDelivery = { source: undefined, from: undefined, to: undefined };

/** Says whether it has settled; throws what it was rejected with. */
function settledness(promise: Promise<unknown>): () => boolean {
  let settled: { readonly error?: unknown } | undefined;
  promise.then(
    () => (settled = {}),
    (error: unknown) => (settled = { error }),
  );
  return () => {
    if (settled && 'error' in settled) throw settled.error;
    return settled !== undefined;
  };
}

/** Whether something was sent to these sources that is in no delivery yet. */
async function isAnyWaiting(pool: pg.Pool, sources: readonly string[]): Promise<boolean> {
  const { rows } = await pool.query<{ waits: boolean }>(
    'select exists (select from landfall.inbox where source = any($1) and delivery_id is null) as waits',
    [sources],
  );
  return rows[0]?.waits === true;
}

/** A delivery that was looked at and waits for its marker says so; a new one only that it has not been looked at. */
function isQuiet({ finality, reason }: ListedDelivery): boolean {
  return isSettled(finality) || (finality === 'waiting' && reason?.includes('awaited') === true);
}

function describe(found: ListedDelivery): string {
  const { delivery, finality, rows, quarantined, duplicates, conflicting, superseded, reason } = found;
  const head = `  ${delivery.padEnd(36)} ${finality.padEnd(9)}`;
  if (rows === null) return finality === 'loading' ? head : `${head} ${reason ?? ''}`;
  const more = [
    ...(quarantined ? [`${number(quarantined)} quarantined`] : []),
    ...(duplicates ? [`${number(duplicates)} duplicates removed`] : []),
    ...(conflicting ? [`${number(conflicting)} conflicting`] : []),
    ...(superseded ? [`${number(superseded)} superseded`] : []),
  ];
  return [`${head} ${number(rows)} rows`, ...more].join(', ');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
