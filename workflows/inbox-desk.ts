/** What the workflow of an inbox knows: what it is told by signals, what it shows, and when a body is late. */

import {
  defineQuery,
  defineSignal,
  log,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';

import { statusQuery, type SignalArgument } from '../model/control.js';
import {
  arrivedSignal,
  type Arrived,
  type CarriedInbox,
  type InboxInput,
  type InboxNews,
  type InboxSeen,
  type InboxStatus,
} from '../model/inbox.js';
import { isSettled } from '../model/delivery.js';
import { writeInstant } from '../vendors/completion.js';
import { inboxDetails, writeBytes } from './details.js';
import { notUnderstood, readReason } from './reason.js';
import { openWindow, type Window } from './window.js';

/** Deliveries that load at the same time. They are merged one after the other: one is read while another is merged. */
export const mostAtWork = 2;
/** A body that is not in the tables by then is late: a batch takes seconds. */
const lateAfter = 60_000;

export interface InboxDesk {
  readonly window: Window;
  readonly paused: boolean;
  /** What has come since the inbox was gathered. */
  readonly news: InboxNews | undefined;
  /** There is more to gather, or to start, than was taken the last time. */
  more: boolean;
  gatherBytes: number;
  gatherWithin: number;
  /** What waits may be another than was counted. */
  outdated: boolean;
  /** What went wrong the last time, as a sentence. */
  trouble: string | undefined;
  /** Whether another delivery may be started. */
  hasRoom(): boolean;
  /** Whether there is reason to gather now. */
  isDue(): boolean;
  /** The news are being seen to … */
  takeNews(): void;
  /** … and were, or not: then they are news still. */
  gathered(seen: InboxSeen | undefined): void;
  counted(seen: InboxSeen): void;
  /** Epoch ms: from when on the oldest body that is known of is late; undefined where there is none. */
  lateFrom(): number | undefined;
  isLate(): boolean;
  show(): void;
  /** What the next run has to know. */
  carried(): CarriedInbox;
  /** The workflow was cancelled. */
  cancelled(): void;
}

export function openInboxDesk(input: InboxInput): InboxDesk {
  const { source, carried } = input;
  // Nobody knows what has come before the first run.
  let news: InboxNews | undefined = carried ? carried.news : { since: Date.now(), bytes: 0 };
  let gathering: InboxNews | undefined;
  let seen: InboxSeen = carried?.seen ?? { depth: { bodies: 0, bytes: 0 }, failed: 0 };
  let last = carried?.last;
  let answer: string | undefined;

  const next = (): string => {
    if (desk.paused) return 'Nothing new starts until `resume`.';
    if (desk.trouble !== undefined) return desk.trouble;
    if (gathering) return 'Looks into the inbox.';
    if (!desk.hasRoom()) return 'Goes on once one of the deliveries in flight has come to rest.';
    if (news) {
      const at = writeInstant(news.since + desk.gatherWithin);
      return `Gathers what has come at ${at}, or once it is ${writeBytes(desk.gatherBytes)}.`;
    }
    return desk.window.atWork() > 0 ? 'The deliveries in flight are loaded.' : 'Waits for what comes next.';
  };
  const status = (): InboxStatus => {
    const told = both(gathering, news);
    return {
      ...{ source, paused: desk.paused, alarm: desk.isLate(), ...seen },
      ...(told ? { news: told } : {}),
      inFlight: desk.window.inFlight(),
      ...(last ? { last } : {}),
      ...(answer === undefined ? {} : { answer }),
      next: next(),
    };
  };

  const desk: InboxDesk & { paused: boolean } = {
    paused: carried?.paused ?? false,
    more: carried?.more ?? false,
    outdated: carried !== undefined,
    trouble: undefined,
    gatherBytes: input.gatherBytes,
    gatherWithin: input.gatherWithin,
    get news() {
      return news;
    },
    window: openWindow({
      ...carried,
      onSettled: ({ delivery, finality, counts }) => {
        last = { delivery, finality, at: Date.now(), ...(counts ? { counts } : {}) };
        desk.outdated = true;
        // It may be that only its workflow has ended: then the ledger has it as unfinished, and it is started again.
        desk.more ||= finality === 'failed' || !isSettled(finality);
      },
      onChange: () => desk.show(),
    }),
    hasRoom: () => !desk.paused && desk.window.atWork() < mostAtWork,
    isDue: () => {
      if (desk.more || !news) return desk.more;
      return news.bytes >= desk.gatherBytes || Date.now() >= news.since + desk.gatherWithin;
    },
    takeNews: () => {
      gathering = news;
      news = undefined;
      desk.show();
    },
    gathered: (found) => {
      if (found) seen = found;
      else news = both(gathering, news);
      gathering = undefined;
      desk.show();
    },
    counted: (found) => {
      seen = found;
      desk.show();
    },
    lateFrom: () => {
      const came = [seen.depth.oldest, gathering?.since, news?.since].filter((at) => at !== undefined);
      return came.length === 0 ? undefined : Math.min(...came) + lateAfter;
    },
    isLate: () => Date.now() >= (desk.lateFrom() ?? Infinity),
    show: () => setCurrentDetails(inboxDetails(status())),
    carried: () => ({
      ...{ paused: desk.paused, more: desk.more, seen },
      ...{ inFlight: desk.window.inFlight(), waiting: [...desk.window.waiting()] },
      ...(news ? { news } : {}),
      ...(last ? { last } : {}),
    }),
    cancelled: () => setCurrentDetails(inboxDetails({ ...status(), next: whenCancelled })),
  };

  const pause = (yes: boolean) => (argument?: SignalArgument | string) => {
    log.info(`${yes ? 'pause' : 'resume'}: ${readReason(argument)}`, { source });
    desk.paused = yes;
    desk.show();
  };
  const arrived = ({ bytes }: Arrived): void => {
    news = both(news, { since: Date.now(), bytes });
    desk.show();
  };
  desk.window.listen();
  setHandler(defineSignal<[Arrived]>(arrivedSignal), arrived, { description: 'Bodies were received.' });
  setHandler(defineSignal<[SignalArgument | string]>('pause'), pause(true), {
    description: 'Start nothing new until resume.',
  });
  setHandler(defineSignal<[SignalArgument | string]>('resume'), pause(false), {
    description: 'Go on after pause.',
  });
  setDefaultSignalHandler((name, argument) => {
    answer = notUnderstood(name, argument, 'An inbox', ['pause', 'resume']);
    log.warn(answer, { source });
    desk.show();
  });
  setHandler(defineQuery<InboxStatus>(statusQuery), status, {
    description: 'What waits, what is in flight, and what happens next.',
  });
  desk.show();
  return desk;
}

function both(earlier: InboxNews | undefined, later: InboxNews | undefined): InboxNews | undefined {
  if (!earlier || !later) return earlier ?? later;
  return { since: earlier.since, bytes: earlier.bytes + later.bytes };
}

const whenCancelled =
  'Nothing: it was cancelled. Deliveries in flight go on; what waits is gathered once the schedule starts it again.';
