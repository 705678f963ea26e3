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
import { long, quick } from './steps.js';

/** Days looked up at a time: some 300 starts where a vendor sends jobs, well below what a history's event may hold. */
const chunk = 10;
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
  const days = countDays(input.from, input.to);
  const self = workflowInfo().workflowId;
  const { listing } = long(60_000);
  const inFlight = new Set(input.carried?.inFlight);
  let waiting = new Set(input.carried?.waiting);
  let daysDone = input.carried?.daysDone ?? 0;
  // Of the day that is under way.
  const dealtWith = new Set(input.carried?.dealtWith);
  let tally: BackfillTally = input.carried?.tally ?? { started: 0, leftAlone: 0, settled: {}, failed: [] };

  const status = (): BackfillStatus => ({
    ...tally,
    days,
    daysDone,
    inFlight: [...inFlight],
    done: daysDone >= days && inFlight.size === 0,
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
    const carried = {
      ...{ daysDone, dealtWith: [...dealtWith] },
      ...{ inFlight: [...inFlight], waiting: [...waiting], tally },
    };
    await continueAsNew<typeof backfill>({ ...input, carried });
  };
  const until = async (met: () => boolean): Promise<void> => {
    while (!met()) {
      await goOnWhenLong();
      const summary = 'until a delivery comes to rest';
      if (!(await condition(met, input.askEvery ?? askEvery, { summary }))) await ask([...inFlight]);
    }
  };

  while (daysDone < days) {
    await goOnWhenLong();
    const next = await listing.nextDeliveries.executeWithOptions(
      { summary: `which of days ${daysDone + 1} to ${Math.min(days, daysDone + chunk)} to start` },
      [
        {
          ...{ source: input.source, types: input.types, from: input.from, to: input.to },
          ...{ daysDone, days: chunk },
        },
      ],
    );
    const upTo = Math.min(days, daysDone + chunk);
    for (const { day, id, start } of next) {
      if (day > daysDone) dealtWith.clear();
      daysDone = day;
      if (dealtWith.has(id)) continue;
      if (start === undefined) {
        dealtWith.add(id);
        tally = { ...tally, leftAlone: tally.leftAlone + 1 };
        continue;
      }
      await until(() => inFlight.size - waiting.size < input.maxInFlight);
      await goOnWhenLong();
      dealtWith.add(id);
      inFlight.add(id);
      tally = { ...tally, started: tally.started + 1 };
      show();
      if (!(await startDelivery(start, self))) await ask([id]);
    }
    dealtWith.clear();
    daysDone = upTo;
    show();
  }
  await until(() => inFlight.size === 0);
  await condition(allHandlersFinished);
  return status();
}
