/** The inbox of a source: what a vendor has sent becomes deliveries. */

import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';

import type { DeliveryStart } from '../config/delivery-start.js';
import { statusQuery, type SignalArgument } from '../model/control.js';
import {
  arrivedSignal,
  type Arrived,
  type InboxInput,
  type InboxNews,
  type InboxSeen,
  type InboxStatus,
  type LastLoaded,
} from '../model/inbox.js';
import { writeInstant } from '../vendors/completion.js';
import { readReason } from './desk.js';
import { inboxDetails, writeBytes } from './details.js';
import { rootFailure } from './load.js';
import { inboxSteps } from './steps.js';
import { openWindow } from './window.js';

const minute = 60_000;

/** Deliveries that load at the same time. They are merged one after the other: one is read while another is merged. */
const mostAtWork = 2;
/** A body that is not in the tables by then is late: a batch takes seconds. */
const lateAfter = minute;
/** After what no retry can mend it is tried again, for a person may have mended it. */
const tryAgainAfter = minute;
/** A delivery that ends without telling (terminated, say) is found by asking this often. */
const askEvery = minute;
/** A run starts no more deliveries than that, so that its history stays short. */
const mostBatches = 100;

/**
 * Gathers what was received, once the first of it is `gatherWithin` old or there are `gatherBytes`, into deliveries, and
 * starts each under its own id, two at a time. It never ends: with nothing to do it waits for word. Whatever becomes of
 * it, nothing is lost: what waits is in Postgres, and the schedule starts it again. A delivery that fails stops no other.
 *
 * Its page in the Web UI begins with an alarm from the moment on that a body is not in the tables a minute after it came,
 * whatever else hangs, and until it is.
 */
export async function inbox(input: InboxInput): Promise<void> {
  const { source, carried } = input;
  let { gatherBytes, gatherWithin } = input;
  let paused = carried?.paused ?? false;
  // Nobody knows what has come before the first run.
  let news: InboxNews | undefined = carried ? carried.news : { since: Date.now(), bytes: 0 };
  let more = carried?.more ?? false;
  // Of what is being gathered: when it was first told of.
  let gathering: number | undefined;
  let seen: InboxSeen = carried?.seen ?? { depth: { bodies: 0, bytes: 0 }, failed: 0 };
  let outdated = carried !== undefined;
  let last: LastLoaded | undefined = carried?.last;
  let trouble: string | undefined;
  let started = 0;

  /** Epoch ms: from when on the oldest body that is known of is late; undefined where there is none. */
  const lateFrom = (): number | undefined => {
    const came = [seen.depth.oldest, gathering, news?.since].filter((instant) => instant !== undefined);
    return came.length === 0 ? undefined : Math.min(...came) + lateAfter;
  };
  const isLate = (): boolean => Date.now() >= (lateFrom() ?? Infinity);
  const hasRoom = (): boolean => !paused && window.atWork() < mostAtWork;
  const isDue = (): boolean =>
    more || (news !== undefined && (news.bytes >= gatherBytes || Date.now() >= news.since + gatherWithin));
  const mustGoOn = (): boolean => workflowInfo().continueAsNewSuggested || started >= mostBatches;

  const next = (): string => {
    if (paused) return 'Nothing new starts until `resume`.';
    if (trouble !== undefined) return trouble;
    if (gathering !== undefined) return 'Looks into the inbox.';
    if (!hasRoom()) return 'Goes on once one of the deliveries in flight has come to rest.';
    if (news) {
      const at = writeInstant(news.since + gatherWithin);
      return `Gathers what has come at ${at}, or once it is ${writeBytes(gatherBytes)}.`;
    }
    return window.atWork() > 0 ? 'The deliveries in flight are loaded.' : 'Waits for what comes next.';
  };
  const status = (): InboxStatus => ({
    ...{ source, paused, alarm: isLate(), ...seen },
    inFlight: window.inFlight(),
    ...(last ? { last } : {}),
    next: next(),
  });
  const show = (): void => setCurrentDetails(inboxDetails(status()));
  const window = openWindow({
    ...carried,
    onSettled: ({ delivery, finality, counts }) => {
      last = { delivery, finality, at: Date.now(), ...(counts ? { counts } : {}) };
      outdated = true;
      // It may be that only its workflow has ended: then the ledger has it as unfinished, and it is started again.
      more ||= finality === 'failed';
    },
    onChange: show,
  });

  const arrived = ({ bytes }: Arrived): void => {
    news = { since: news?.since ?? Date.now(), bytes: (news?.bytes ?? 0) + bytes };
    show();
  };
  const pause = (yes: boolean) => (argument?: SignalArgument | string) => {
    log.info(`${yes ? 'pause' : 'resume'}: ${readReason(argument)}`, { source });
    paused = yes;
    show();
  };
  window.listen();
  setHandler(defineSignal<[Arrived]>(arrivedSignal), arrived, { description: 'Bodies were received.' });
  setHandler(defineSignal<[SignalArgument | string]>('pause'), pause(true), {
    description: 'Start nothing new until resume.',
  });
  setHandler(defineSignal<[SignalArgument | string]>('resume'), pause(false), {
    description: 'Go on after pause.',
  });
  setHandler(defineQuery<InboxStatus>(statusQuery), status, {
    description: 'What waits, what is in flight, and what happens next.',
  });
  show();

  const goOnWhenLong = async (): Promise<void> => {
    if (!mustGoOn()) return;
    await condition(allHandlersFinished);
    const handed = {
      ...{ paused, more, seen, inFlight: window.inFlight(), waiting: [...window.waiting()] },
      ...(news ? { news } : {}),
      ...(last ? { last } : {}),
    };
    await continueAsNew<typeof inbox>({ ...input, gatherBytes, gatherWithin, carried: handed });
  };

  /** Undefined where it failed: that stands in the details for a minute, before it may be tried again. */
  const attempt = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      const result = await step();
      trouble = undefined;
      return result;
    } catch (error) {
      if (isCancellation(error)) throw error;
      trouble = rootFailure(error)?.message ?? String(error);
      show();
      await sleep(tryAgainAfter, { summary: 'until it is tried again' });
      return undefined;
    }
  };

  const untilDue = async (): Promise<void> => {
    while (!(hasRoom() && isDue())) {
      await goOnWhenLong();
      const left = news && hasRoom() ? Math.max(1, news.since + gatherWithin - Date.now()) : undefined;
      if (left === undefined) {
        await condition(() => mustGoOn() || (hasRoom() && (more || news !== undefined)));
      } else {
        const summary = 'until what has come is gathered';
        await condition(() => mustGoOn() || !hasRoom() || isDue(), left, { summary });
      }
    }
  };
  const gather = async (): Promise<readonly DeliveryStart[]> => {
    const before = news;
    gathering = news?.since;
    news = undefined;
    show();
    const found = await attempt(() =>
      inboxSteps.gather.executeWithOptions({ summary: 'make deliveries of what waits' }, [
        { source, known: window.inFlight(), room: mostAtWork - window.atWork() },
      ]),
    );
    gathering = undefined;
    if (found) {
      ({ more, gatherBytes, gatherWithin } = found);
      seen = { depth: found.depth, failed: found.failed };
    } else {
      more = true;
      news = before ?? news;
    }
    show();
    return found?.starts ?? [];
  };
  const gatherAndStart = async (): Promise<never> => {
    for (;;) {
      await untilDue();
      await goOnWhenLong();
      for (const start of await gather()) {
        // The ledger has it as waiting: it is found again.
        if (paused) more = true;
        else {
          started += 1;
          await window.start(start);
        }
      }
    }
  };

  /** Each time that a delivery has come to rest; once a minute while the alarm is on, should nobody tell. */
  const keepCounting = async (): Promise<never> => {
    for (;;) {
      await condition(() => outdated || isLate());
      outdated = false;
      const summary = 'count what waits';
      const counted = await attempt(() =>
        inboxSteps.countInbox.executeWithOptions({ summary }, [{ source }]),
      );
      seen = counted ?? seen;
      show();
      if (!isLate()) continue;
      await condition(() => outdated, minute, { summary: 'until it is counted again what waits' });
    }
  };
  const keepAlarm = async (): Promise<never> => {
    for (;;) {
      const from = lateFrom();
      if (from === undefined) await condition(() => lateFrom() !== undefined);
      else if (isLate()) await condition(() => !isLate());
      else {
        const earlier = (): boolean => (lateFrom() ?? Infinity) < from;
        await condition(earlier, from - Date.now(), { summary: 'until the oldest body is late' });
      }
      show();
    }
  };
  const keepAsking = async (): Promise<never> => {
    for (;;) {
      await condition(() => window.inFlight().length > 0);
      const summary = 'until deliveries in flight are asked for';
      const atRest = (): boolean => window.inFlight().length === 0;
      if (await condition(atRest, input.askEvery ?? askEvery, { summary })) continue;
      await attempt(() => window.ask(window.inFlight()));
    }
  };

  try {
    await Promise.race([gatherAndStart(), keepCounting(), keepAlarm(), keepAsking()]);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    setCurrentDetails(inboxDetails({ ...status(), next: whenCancelled }));
    throw error;
  }
}

const whenCancelled =
  'Nothing: it was cancelled. Deliveries in flight go on; what waits is gathered once the schedule starts it again.';
