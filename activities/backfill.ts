import { WorkflowNotFoundError } from '@temporalio/client';

import { deliveryStart, type DeliveryStart } from '../config/delivery-start.js';
import { nameDelivery } from '../config/name-delivery.js';
import type { DeliveryResult } from '../model/control.js';
import { isSettled, type Finality } from '../model/delivery.js';
import { addDays, countDays } from '../model/day.js';
import { readFinality } from '../warehouse/read-finality.js';
import type { Dependencies } from './dependencies.js';

export interface DeliveryRange {
  readonly source: string;
  readonly types: readonly string[];
  /** Days, both included. */
  readonly from: string;
  readonly to: string;
}

export interface NextDeliveriesStep extends DeliveryRange {
  /** How many deliveries of the range, newest first, are behind us. */
  readonly position: number;
  readonly count: number;
}

export interface NextDeliveries {
  /** Without those that are final, skipped or discarded: a backfill does not touch them. */
  readonly starts: readonly NumberedStart[];
  readonly next: number;
}

export interface NumberedStart extends DeliveryStart {
  /** Its place in the range, newest first, from 0. */
  readonly number: number;
}

/** What became of deliveries. */
export interface Whereabouts {
  /** Their workflow no longer runs; how the ledger has them. */
  readonly settled: readonly DeliveryResult[];
  /** Their workflow runs and takes nothing: it waits for the marker, or for the day to end. */
  readonly waiting: readonly string[];
}

/** The deliveries of a range in the order in which a backfill takes them: newest day first. */
export function rangeSlice(
  { types, from, to }: DeliveryRange,
  position: number,
  count: number,
): { type: string; date: string }[] {
  const total = countDays(from, to) * types.length;
  const numbers = Array.from(
    { length: Math.max(0, Math.min(count, total - position)) },
    (_, i) => position + i,
  );
  return numbers.map((number) => ({
    type: types[number % types.length] ?? '',
    date: addDays(to, -Math.floor(number / types.length)),
  }));
}

export function createNextDeliveries({ pool, source }: Dependencies) {
  return async function nextDeliveries(step: NextDeliveriesStep): Promise<NextDeliveries> {
    const { config } = source(step.source);
    const slice = rangeSlice(step, step.position, step.count);
    const ids = slice.map(({ type, date }) => nameDelivery(config, type, date).id);
    const known = new Map((await readFinality(pool, ids)).map((row) => [row.id, row.finality]));
    const starts = slice.flatMap(({ type, date }, index): NumberedStart[] => {
      const finality = known.get(ids[index] ?? '');
      if (finality === 'final' || finality === 'skipped' || finality === 'discarded') return [];
      return [{ ...deliveryStart(config, type, date, Date.now()), number: step.position + index }];
    });
    return { starts, next: step.position + slice.length };
  };
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
      waiting: ids.filter((id) => !ended.includes(id) && onlyWaits(known.get(id)?.finality)),
    };
  };

  /** A provisional delivery waits for its day to end, or to be written anew. */
  function onlyWaits(finality: Finality | undefined): boolean {
    return finality === 'waiting' || finality === 'provisional';
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
