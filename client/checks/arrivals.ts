/** Whether a vendor that sends has sent anything, and what became of it. */

import { setTimeout } from 'node:timers/promises';

import type pg from 'pg';

import { writeDuration } from '../../config/duration.js';
import type { SentSource } from '../../config/schema.js';
import { isSettled } from '../../model/delivery.js';
import { writeInstant } from '../instant.js';
import type { Place } from '../place.js';
import { readArrivals, readNewestArrival, type Arrivals } from '../queries/arrivals.js';
import { listDeliveries, type ListedDelivery } from '../queries/list-deliveries.js';
import { withLedger } from '../with-ledger.js';
import { reportOn, sentence, type Finding, type PartReport } from './finding.js';
import { receiverPart } from './receiver.js';

export interface Waiting {
  /** For how long, in milliseconds; 0: not at all. */
  readonly wait: number;
  /** How long what came has to become a delivery that is at rest, before it is told as it is; in milliseconds. */
  readonly settlesWithin: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called before it begins to wait. */
  readonly waits: (source: SentSource) => void;
}

const lookEvery = 500;

/** Says when a source was last sent something; where it never was, waits for the first time. */
export async function checkArrivals(
  place: Place,
  source: SentSource,
  waiting: Waiting,
): Promise<readonly Finding[]> {
  const report = reportOn(receiverPart(source));
  try {
    await withLedger(place, async (pool) => {
      const newest = await readNewestArrival(pool, source.name);
      if (newest) report.ok('arrivals', `the newest came at ${writeInstant(newest.toISOString())}`);
      else if (waiting.wait === 0) report.ok('arrivals', 'nothing has come yet');
      else await awaitFirst(pool, source, waiting, report);
    });
  } catch (error) {
    report.wrong('arrivals', sentence(error), 'Mend that, then check again: nothing was waited for.');
  }
  return report.findings;
}

async function awaitFirst(
  pool: pg.Pool,
  source: SentSource,
  { wait, settlesWithin, signal, waits }: Waiting,
  report: PartReport,
): Promise<void> {
  waits(source);
  const came = await until(wait, signal, () => readArrivals(pool, source.name));
  if (came === undefined) {
    const how = signal.aborted
      ? 'nothing came before the wait was ended'
      : `nothing came within ${writeDuration(wait)}`;
    report.wrong(
      'arrivals',
      how,
      "Fill in the vendor's form as is said above, and use its test export; its answer there tells more. See the " +
        "receiver's log, too.",
    );
    return;
  }
  const settled = await until(settlesWithin, signal, async () => {
    const arrivals = await readArrivals(pool, source.name);
    const deliveries = arrivals && (await deliveriesOf(pool, arrivals));
    const isAtRest = arrivals?.waiting === 0 && deliveries?.every(({ finality }) => isSettled(finality));
    return isAtRest === true ? { arrivals, deliveries } : undefined;
  });
  const arrivals = settled?.arrivals ?? (await readArrivals(pool, source.name)) ?? came;
  tellArrivals(arrivals, settled?.deliveries ?? (await deliveriesOf(pool, arrivals)), source, report);
}

function tellArrivals(
  { bodies, documents, newest, waiting }: Arrivals,
  deliveries: readonly ListedDelivery[],
  { name }: SentSource,
  report: PartReport,
): void {
  const what = `${count(bodies, 'body', 'bodies')} with ${count(documents, 'session', 'sessions')} came`;
  report.ok('arrivals', `${what}, the newest at ${writeInstant(newest.toISOString())}`);
  for (const delivery of deliveries) tellDelivery(delivery, report);
  if (waiting > 0) {
    const are = `${count(waiting, 'body is', 'bodies are')} in no delivery yet`;
    report.ok('deliveries', `${are}; 'landfall status ${name}' shows when that changes`);
  }
}

function tellDelivery(
  { delivery, finality, rows, quarantined, duplicates, conflicting, superseded, reason }: ListedDelivery,
  report: PartReport,
): void {
  const parts = [
    ...(rows === null ? [] : [count(rows, 'row', 'rows')]),
    ...(quarantined ? [`${quarantined} in quarantine ('landfall show ${delivery}' shows why)`] : []),
    ...(duplicates ? [count(duplicates, 'duplicate', 'duplicates')] : []),
    ...(conflicting ? [`${conflicting} conflicting`] : []),
    ...(superseded ? [`${superseded} superseded by newer copies`] : []),
  ];
  const found = parts.length === 0 ? finality : `${finality}, ${parts.join(', ')}`;
  if (finality !== 'failed') report.ok(delivery, found);
  else {
    report.wrong(
      delivery,
      `${found}: ${(reason ?? '').replace(/\.$/, '')}`,
      `'landfall show ${delivery}' tells more; 'landfall reprocess ${delivery}' loads it again.`,
    );
  }
}

function deliveriesOf(pool: pg.Pool, { deliveries }: Arrivals): Promise<readonly ListedDelivery[]> {
  return listDeliveries(pool, { ...{ source: undefined, from: undefined, to: undefined }, ids: deliveries });
}

/** What `look` gives as soon as it gives something; undefined when time is up or the signal comes. */
async function until<T>(
  milliseconds: number,
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const left = deadline - performance.now();
    if (left <= 0 || signal.aborted) return undefined;
    await setTimeout(Math.min(lookEvery, left), undefined, { signal }).catch(() => undefined);
  }
}

function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}
