/** A range of a source's days, newest first, a bounded number of deliveries at a time. */

import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import {
  statusQuery,
  stopSignal,
  type BackfillInput,
  type BackfillStatus,
  type BackfillTally,
  type DeliveryResult,
  type SignalArgument,
} from '../model/control.js';
import { countDays } from '../model/day.js';
import { backfillDetails } from './details.js';
import { notUnderstood, readReason } from './reason.js';
import { long } from './steps.js';
import { openWindow } from './window.js';

/** Days looked up at a time: some 300 starts where a vendor sends jobs, well below what a history's event may hold. */
const chunk = 10;
/** Without word from any delivery for so long they are asked for. */
const askEvery = 5 * 60_000;
const mostFailedListed = 100;

/**
 * Starts every delivery of the range that is not final, skipped or discarded, under the delivery's own id, so that a
 * backfill may be run again, or beside the schedule, and starts nothing twice. Each tells us when it comes to rest;
 * then the next one starts. Ends when all have, with the tally.
 *
 * A recent day may wait for its marker for days. It takes nothing meanwhile, so it holds up no other.
 *
 * Stopped or cancelled it starts no more; what it has started goes on.
 */
export async function backfill(input: BackfillInput): Promise<BackfillStatus> {
  const days = countDays(input.from, input.to);
  const { listing } = long(60_000);
  let daysDone = input.carried?.daysDone ?? 0;
  // Of the day that is under way.
  const dealtWith = new Set(input.carried?.dealtWith);
  const work = new CancellationScope();
  let stopped: string | undefined;
  let answer: string | undefined;
  let tally: BackfillTally = input.carried?.tally ?? { started: 0, leftAlone: 0, settled: {}, failed: [] };

  const settle = ({ delivery, finality }: DeliveryResult): void => {
    tally = {
      ...tally,
      settled: { ...tally.settled, [finality]: (tally.settled[finality] ?? 0) + 1 },
      failed: finality === 'failed' ? [...tally.failed, delivery].slice(-mostFailedListed) : tally.failed,
    };
  };
  const status = (): BackfillStatus => ({
    ...tally,
    days,
    daysDone,
    inFlight: window.inFlight(),
    done: daysDone >= days && window.inFlight().length === 0,
    ...(stopped === undefined ? {} : { stopped }),
    ...(answer === undefined ? {} : { answer }),
  });
  const show = (): void => setCurrentDetails(backfillDetails(status(), window.waiting()));
  const window = openWindow({ ...input.carried, onSettled: settle, onChange: show });
  window.listen();
  setHandler(
    defineSignal<[SignalArgument | string | undefined]>(stopSignal),
    (argument) => {
      stopped = readReason(argument);
      log.info(`stop: ${stopped}`);
      work.cancel();
    },
    { description: 'Start no more deliveries and end. Those in flight go on.' },
  );
  setDefaultSignalHandler((name, argument) => {
    answer = notUnderstood(name, argument, 'A backfill', [stopSignal]);
    log.warn(answer);
    show();
  });
  setHandler(defineQuery<BackfillStatus>(statusQuery), status, { description: 'Progress of the backfill.' });
  show();

  const goOnWhenLong = async (): Promise<void> => {
    if (!workflowInfo().continueAsNewSuggested) return;
    await condition(allHandlersFinished);
    if (stopped !== undefined) return;
    const carried = {
      ...{ daysDone, dealtWith: [...dealtWith] },
      ...{ inFlight: window.inFlight(), waiting: [...window.waiting()], tally },
    };
    await continueAsNew<typeof backfill>({ ...input, carried });
  };
  const until = async (met: () => boolean): Promise<void> => {
    while (!met()) {
      await goOnWhenLong();
      const summary = 'until a delivery comes to rest';
      if (!(await condition(met, input.askEvery ?? askEvery, { summary })))
        await window.ask(window.inFlight());
    }
  };

  const startAll = async (): Promise<void> => {
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
        await until(() => window.atWork() < input.maxInFlight);
        await goOnWhenLong();
        dealtWith.add(id);
        tally = { ...tally, started: tally.started + 1 };
        await window.start(start);
      }
      dealtWith.clear();
      daysDone = upTo;
      show();
    }
    await until(() => window.inFlight().length === 0);
  };

  try {
    await work.run(startAll);
  } catch (error) {
    if (stopped === undefined || !isCancellation(error)) throw error;
    show();
  }
  await condition(allHandlersFinished);
  return status();
}
