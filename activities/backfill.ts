import { WorkflowNotFoundError } from '@temporalio/client';

import { deliveryStart, type DeliveryStart } from '../config/delivery-start.js';
import { nameDay } from '../config/name-delivery.js';
import { hasStore } from '../config/schema.js';
import type { DeliveryResult } from '../model/control.js';
import { isSettled, type Delivery } from '../model/delivery.js';
import { addDays, countDays } from '../model/day.js';
import { Failure, failureTypes } from '../model/failure.js';
import { deliversJobs } from '../vendors/vendor.js';
import { readFinality, type KnownFinality } from '../warehouse/read-finality.js';
import type { Dependencies, OpenSource } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { listJobs } from './list-jobs.js';

export interface DeliveryRange {
  readonly source: string;
  readonly types: readonly string[];
  /** Days, both included. */
  readonly from: string;
  readonly to: string;
}

export interface NextDeliveriesStep extends DeliveryRange {
  /** How many days of the range, newest first, are behind us. */
  readonly daysDone: number;
  /** Days to look at. */
  readonly days: number;
}

export interface NextDelivery {
  /** Its day's place in the range, newest first, from 0. */
  readonly day: number;
  readonly id: string;
  /** Absent for one that is final, skipped or discarded: a backfill does not touch it. */
  readonly start?: DeliveryStart;
}

/** What became of deliveries. */
export interface Whereabouts {
  /** Their workflow no longer runs; how the ledger has them. */
  readonly settled: readonly DeliveryResult[];
  /** Their workflow runs and takes nothing: it waits for the marker, or for the day to end. */
  readonly waiting: readonly string[];
}

/**
 * The deliveries of some days of a range, in the order in which a backfill takes them: newest day first. Those of a
 * vendor of jobs are what its store shows.
 */
export async function deliveriesOf(
  { config, vendor, store }: Pick<OpenSource, 'config' | 'vendor' | 'store'>,
  { types, to, daysDone, days }: Omit<NextDeliveriesStep, 'source'>,
  signal: AbortSignal,
): Promise<readonly ListedDelivery[]> {
  const dates = Array.from({ length: days }, (_, index) => addDays(to, -(daysDone + index)));
  if (!deliversJobs(vendor)) {
    return dates.flatMap((date) => types.map((type) => nameDay(config, type, date)));
  }
  const listed: ListedDelivery[] = [];
  for (const type of types) {
    listed.push(...(await listJobs(config, vendor, store, type, (day) => dates.includes(day), signal)));
  }
  return listed;
}

/** Only a job that its vendor's rule discarded, and that may be complete by now, is worth another look. */
type ListedDelivery = Delivery & { readonly mayBeComplete?: boolean };

/** Whether a backfill leaves a delivery alone, by what the ledger says of it. */
export function isLeftAlone(delivery: ListedDelivery, known: KnownFinality | undefined): boolean {
  // What a person asked for is done, should its workflow have ended by force.
  if (known && known.wish !== null) return false;
  if (known?.finality === 'discarded') return !(known.byRule && delivery.mayBeComplete === true);
  return known?.finality === 'final' || known?.finality === 'skipped';
}

export function createNextDeliveries({ pool, source }: Dependencies) {
  return async function nextDeliveries(step: NextDeliveriesStep): Promise<readonly NextDelivery[]> {
    const opened = source(step.source);
    const { name, vendor } = opened.config;
    if (!hasStore(opened.config)) {
      const why = `what ${vendor} sent lies nowhere else. Reprocess a delivery to load it again.`;
      throw new Failure(failureTypes.configInvalid, `Source '${name}' has nothing to backfill: ${why}`);
    }
    const days = Math.min(step.days, countDays(step.from, step.to) - step.daysDone);
    const deliveries = await withHeartbeat(
      () => step,
      (signal) => deliveriesOf(opened, { ...step, days }, signal),
    );
    const found = await readFinality(
      pool,
      deliveries.map(({ id }) => id),
    );
    const known = new Map(found.map((row) => [row.id, row]));
    return deliveries.map((delivery) => ({
      id: delivery.id,
      day: countDays(delivery.date, step.to) - 1,
      ...(isLeftAlone(delivery, known.get(delivery.id))
        ? {}
        : { start: deliveryStart(opened.config, bare(delivery), Date.now()) }),
    }));
  };
}

/** What a listing says of a delivery does not belong to it. */
function bare({ id, source, type, date }: Delivery): Delivery {
  return { id, source, type, date };
}

export function createSettledDeliveries({ pool, client }: Dependencies) {
  /** Of these deliveries, those that came to rest and those that wait. */
  return async function settledDeliveries({ ids }: { ids: readonly string[] }): Promise<Whereabouts> {
    const ended: string[] = [];
    for (const id of ids) if (!(await isRunning(id))) ended.push(id);
    const known = new Map((await readFinality(pool, ids)).map((row) => [row.id, row]));
    return {
      settled: ended.map((id) => {
        const row = known.get(id);
        const atRest = row && isSettled(row.finality);
        return {
          delivery: id,
          finality: atRest ? row.finality : 'failed',
          reason: atRest ? (row.reason ?? '') : 'Its workflow ended before the delivery came to rest.',
        };
      }),
      waiting: ids.filter((id) => !ended.includes(id) && onlyWaits(known.get(id))),
    };
  };

  /** A provisional delivery waits for its day to end, or to be written anew; one with a version that is held for a person. */
  function onlyWaits(known: KnownFinality | undefined): boolean {
    return known?.finality === 'waiting' || known?.finality === 'provisional' || known?.held === true;
  }

  async function isRunning(id: string): Promise<boolean> {
    try {
      return (await client.workflow.getHandle(id).describe()).status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }
}
