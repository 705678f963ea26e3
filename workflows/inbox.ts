/** The inbox of a source: what a vendor has sent becomes deliveries. */

import {
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';

import type { DeliveryStart } from '../config/delivery-start.js';
import type { InboxInput } from '../model/inbox.js';
import { mostAtWork, openInboxDesk, type InboxDesk } from './inbox-desk.js';
import { rootFailure } from './step-failure.js';
import { inboxSteps } from './steps.js';

const minute = 60_000;

/** After what no retry can mend it is tried again, for a person may have mended it. */
const tryAgainAfter = minute;
/** Should nobody tell, it is counted again so often what waits, while something is late … */
const countEvery = minute;
/** … and asked what became of deliveries: one that ends without telling (terminated, say) is found in no other way. */
const askEvery = minute;
/** A run starts no more deliveries than that, so that its history stays short. */
const mostStarted = 100;

/**
 * Gathers what was received, once the first of it is `gatherWithin` old or there are `gatherBytes`, into deliveries, and
 * starts each under its own id, two at a time. It never ends: with nothing to do it waits for word. Whatever becomes of
 * it, nothing is lost: what waits is in Postgres, and the schedule starts it again. A delivery that fails stops no other.
 *
 * Its page in the Web UI begins with an alarm from the moment on that a body is not in the tables a minute after it came,
 * whatever else hangs, and until it is.
 */
export async function inbox(input: InboxInput): Promise<void> {
  const desk = openInboxDesk(input);
  try {
    await Promise.race([
      keepGathering(input, desk),
      keepCounting(input, desk),
      keepAlarm(desk),
      keepAsking(input, desk),
    ]);
  } catch (error) {
    if (isCancellation(error)) desk.cancelled();
    throw error;
  }
}

/** Ends by continuing as new. */
async function keepGathering(input: InboxInput, desk: InboxDesk): Promise<never> {
  let started = 0;
  const mustGoOn = (): boolean => workflowInfo().continueAsNewSuggested || started >= mostStarted;
  const goOnWhenLong = async (): Promise<void> => {
    if (!mustGoOn()) return;
    await condition(allHandlersFinished);
    const { gatherBytes, gatherWithin } = desk;
    await continueAsNew<typeof inbox>({ ...input, gatherBytes, gatherWithin, carried: desk.carried() });
  };
  for (;;) {
    while (!(desk.hasRoom() && desk.isDue())) {
      await goOnWhenLong();
      await somethingNew(desk, mustGoOn);
    }
    await goOnWhenLong();
    for (const start of await gather(input, desk)) {
      // The ledger has it as waiting: it is found again.
      if (desk.paused) desk.more = true;
      else {
        started += 1;
        await desk.window.start(start);
      }
    }
  }
}

/** Waits until it may be time to gather. */
async function somethingNew(desk: InboxDesk, mustGoOn: () => boolean): Promise<void> {
  if (desk.news && desk.hasRoom()) {
    const left = Math.max(1, desk.news.since + desk.gatherWithin - Date.now());
    const summary = 'until what has come is gathered';
    await condition(() => mustGoOn() || !desk.hasRoom() || desk.isDue(), left, { summary });
  } else {
    await condition(() => mustGoOn() || (desk.hasRoom() && (desk.more || desk.news !== undefined)));
  }
}

async function gather({ source }: InboxInput, desk: InboxDesk): Promise<readonly DeliveryStart[]> {
  desk.takeNews();
  const step = { source, known: desk.window.inFlight(), room: mostAtWork - desk.window.atWork() };
  const summary = 'make deliveries of what waits';
  const found = await attempt(desk, () => inboxSteps.gather.executeWithOptions({ summary }, [step]));
  desk.more = found?.more ?? true;
  if (!found) {
    desk.gathered(undefined);
    return [];
  }
  const { starts, depth, failed, gatherBytes, gatherWithin } = found;
  Object.assign(desk, { gatherBytes, gatherWithin });
  desk.gathered({ depth, failed });
  return starts;
}

/** Undefined where it failed: that stands in the details for a minute, before it may be tried again. */
async function attempt<T>(desk: InboxDesk, step: () => Promise<T>): Promise<T | undefined> {
  try {
    const result = await step();
    desk.trouble = undefined;
    return result;
  } catch (error) {
    if (isCancellation(error)) throw error;
    desk.trouble = rootFailure(error)?.message ?? String(error);
    desk.show();
    await sleep(tryAgainAfter, { summary: 'until it is tried again' });
    return undefined;
  }
}

/** Counts what waits: each time that a delivery has come to rest, and again and again while something is late. */
async function keepCounting({ source }: InboxInput, desk: InboxDesk): Promise<never> {
  for (;;) {
    await condition(() => desk.outdated || desk.isLate());
    desk.outdated = false;
    const summary = 'count what waits';
    const seen = await attempt(desk, () =>
      inboxSteps.countInbox.executeWithOptions({ summary }, [{ source }]),
    );
    if (seen) desk.counted(seen);
    if (!desk.isLate()) continue;
    await condition(() => desk.outdated, countEvery, { summary: 'until it is counted again what waits' });
  }
}

/** Shows the alarm when the oldest body is late, and takes it back when it is not. */
async function keepAlarm(desk: InboxDesk): Promise<never> {
  for (;;) {
    const from = desk.lateFrom();
    if (from === undefined) await condition(() => desk.lateFrom() !== undefined);
    else if (desk.isLate()) await condition(() => !desk.isLate());
    else {
      const earlier = (): boolean => (desk.lateFrom() ?? Infinity) < from;
      await condition(earlier, from - Date.now(), { summary: 'until the oldest body is late' });
    }
    desk.show();
  }
}

async function keepAsking(input: InboxInput, desk: InboxDesk): Promise<never> {
  const { window } = desk;
  for (;;) {
    await condition(() => window.inFlight().length > 0);
    const summary = 'until deliveries in flight are asked for';
    const atRest = (): boolean => window.inFlight().length === 0;
    if (await condition(atRest, input.askEvery ?? askEvery, { summary })) continue;
    await attempt(desk, () => window.ask(window.inFlight()));
  }
}
