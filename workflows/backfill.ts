/** A range of a source's days, newest first, a bounded number of deliveries at a time. */

import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import type { BackfillInput, BackfillStatus, BackfillTally, DeliveryResult } from '../model/control.js';
import { statusQuery } from '../model/control.js';
import { countDays } from '../model/day.js';
import { backfillDetails } from './details.js';
import { startDelivery } from './start.js';
import { quick } from './steps.js';

/** Deliveries looked up at a time. */
const chunk = 50;
/** A delivery that ends without telling (terminated, say), or only waits, is found by asking this often. */
const askEvery = 5 * 60_000;
const mostFailedListed = 100;

const settledSignal = defineSignal<[DeliveryResult]>('settled');

/**
 * Starts every delivery of the range that is not final, skipped or discarded, under the delivery's own id, so that a
 * backfill may be run again, or beside the schedule, and starts nothing twice. Each tells us when it comes to rest;
 * then the next one starts. Ends when all have, with the tally.
 *
 * A recent day may wait for its marker for days. It takes nothing meanwhile, so it holds up no other.
 */
export async function backfill(input: BackfillInput): Promise<BackfillStatus> {
  const total = countDays(input.from, input.to) * input.types.length;
  const self = workflowInfo().workflowId;
  const inFlight = new Set(input.carried?.inFlight);
  let waiting = new Set(input.carried?.waiting);
  let position = input.carried?.position ?? 0;
  let tally: BackfillTally = input.carried?.tally ?? { started: 0, settled: {}, failed: [] };

  const status = (): BackfillStatus => ({
    ...tally,
    total,
    position,
    leftAlone: position - tally.started,
    inFlight: [...inFlight],
    done: position >= total && inFlight.size === 0,
  });
  const show = (): void => setCurrentDetails(backfillDetails(status(), waiting));
  const settle = (result: DeliveryResult): void => {
    // Told twice, by the delivery and by our asking: it counts once.
    if (!inFlight.delete(result.delivery)) return;
    waiting.delete(result.delivery);
    const count = (tally.settled[result.finality] ?? 0) + 1;
    tally = {
      ...tally,
      settled: { ...tally.settled, [result.finality]: count },
      failed:
        result.finality === 'failed'
          ? [...tally.failed, result.delivery].slice(-mostFailedListed)
          : tally.failed,
    };
    show();
  };
  setHandler(settledSignal, settle, { description: 'A delivery came to rest.' });
  setHandler(defineQuery<BackfillStatus>(statusQuery), status, { description: 'Progress of the backfill.' });
  show();

  const ask = async (ids: readonly string[]): Promise<void> => {
    const found = await quick.settledDeliveries.executeWithOptions({ summary: 'ask who came to rest' }, [
      { ids },
    ]);
    waiting = new Set([...waiting].filter((id) => !ids.includes(id)).concat(found.waiting));
    found.settled.forEach(settle);
    show();
  };
  const goOnWhenLong = async (): Promise<void> => {
    if (!workflowInfo().continueAsNewSuggested) return;
    await condition(allHandlersFinished);
    const carried = { position, inFlight: [...inFlight], waiting: [...waiting], tally };
    await continueAsNew<typeof backfill>({ ...input, carried });
  };
  const until = async (met: () => boolean): Promise<void> => {
    while (!met()) {
      await goOnWhenLong();
      const summary = 'until a delivery comes to rest';
      if (!(await condition(met, input.askEvery ?? askEvery, { summary }))) await ask([...inFlight]);
    }
  };

  while (position < total) {
    await goOnWhenLong();
    const { starts, next } = await quick.nextDeliveries.executeWithOptions(
      { summary: `which of deliveries ${position + 1} to ${Math.min(total, position + chunk)} to start` },
      [{ source: input.source, types: input.types, from: input.from, to: input.to, position, count: chunk }],
    );
    for (const { number, ...start } of starts) {
      position = number;
      await until(() => inFlight.size - waiting.size < input.maxInFlight);
      await goOnWhenLong();
      inFlight.add(start.workflowId);
      tally = { ...tally, started: tally.started + 1 };
      position = number + 1;
      show();
      if (!(await startDelivery(start, self))) await ask([start.workflowId]);
    }
    position = next;
    show();
  }
  await until(() => inFlight.size === 0);
  await condition(allHandlersFinished);
  return status();
}
