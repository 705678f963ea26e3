/**
 * Where people's wishes for a delivery arrive: the signals, what is still to be done about them, the `status` query and
 * what the Web UI shows. Handlers only note a wish and write it into the ledger; the delivery's own loop acts on it, and
 * it stands until the loop says that it is answered.
 */

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  log,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { deliverySignals, searchAttributes, statusQuery } from '../model/control.js';
import type {
  CarriedDelivery,
  DeliveryInput,
  DeliverySignal,
  DeliveryStatus,
  LoadCounts,
  SignalArgument,
} from '../model/control.js';
import { fromLedger, toLedger, withWish, type Wish, type WishKind } from '../model/wish.js';
import type { DeliveryChange } from '../warehouse/ledger-change.js';
import type { LedgerDelivery } from '../warehouse/ledger-delivery.js';
import { deliveryDetails, type Shown } from './details.js';
import { wishesStand } from './patches.js';
import { noReason, notUnderstood, readReason } from './reason.js';
import { rootFailure } from './step-failure.js';
import { record } from './steps.js';

export interface Desk {
  readonly id: string;
  /** What was asked for and is not done yet, oldest first. */
  readonly wishes: readonly Wish[];
  /** Load again, whatever the ledger says. */
  readonly force: boolean;
  /** Treat the day as complete without its marker, or publish the version that is held. */
  readonly accepted: boolean;
  /** Why, in the words of who said so. */
  readonly acceptedBecause: string;
  /** What the delivery has to come to rest as. */
  ending(): Wish | undefined;
  /** These were done or refused, and the ledger says so. What is asked for since then stands. */
  answered(wishes: readonly Wish[]): void;
  readonly paused: boolean;
  /** There is nothing left to hold. */
  release(): void;
  /** Workflows that want to hear when the delivery comes to rest. */
  readonly notify: Set<string>;
  /** Something was asked for since the last `takeNews`. */
  hasNews(): boolean;
  takeNews(): void;
  /** Returns when the delivery is not paused, or has to end. */
  whileRunning(): Promise<void>;
  /** Waits until an instant (epoch ms), or until something is asked for; the timer carries the summary. */
  waitUntil(instant: number, summary: string): Promise<void>;
  /** Finality, next step and counts for the Web UI and the query. */
  show(change: Partial<Shown>): void;
  /** What the last load brought; undefined when there was none. */
  counts(): LoadCounts | undefined;
  /** Names a change of the ledger, so that writing it twice changes it once. */
  nextRequest(): string;
  /** The delivery is in the ledger, as given: from now on handlers may write to it. Undefined: it cannot be entered. */
  opened(ledger: LedgerDelivery | undefined): void;
  isOpen(): boolean;
  /** Returns when nothing that people sent is still being written down. */
  quiet(): Promise<void>;
}

const finalityKey = defineSearchAttributeKey(searchAttributes.finality, SearchAttributeType.KEYWORD);
const notifySignal = defineSignal<[string]>('notify');

const meanings: Readonly<Record<DeliverySignal, string>> = {
  reprocess: 'Load again from the store, even when final.',
  accept: 'Treat as complete without its marker; publish a version that is held.',
  skip: 'Stop waiting and leave everything as it is.',
  discard: 'Take its rows out of the tables and stop.',
  pause: 'Start nothing new until resume.',
  resume: 'Go on after pause.',
};

export function openDesk(input: DeliveryInput): Desk {
  const { id } = input;
  const shown: Shown = {
    finality: 'waiting',
    next: 'Looks into the store.',
  };
  let published = '';
  let news = false;
  let inLedger = false;
  let wishes = carriedWishes(input.carried);
  // Undefined: nobody has said so yet, and the ledger may know.
  let paused = input.carried?.paused;
  let writing = Promise.resolve();
  let requests = 0;
  const nextRequest = (): string => `${workflowInfo().runId}/${++requests}`;
  const wants = (kind: WishKind): boolean => wishes.some((wish) => wish.kind === kind);

  const desk: Desk = {
    id,
    get wishes() {
      return wishes;
    },
    get force() {
      return wants('reprocess');
    },
    get accepted() {
      return wants('accept');
    },
    get acceptedBecause() {
      return wishes.find(({ kind }) => kind === 'accept')?.reason ?? noReason;
    },
    get paused() {
      return paused ?? false;
    },
    ending: () => wishes.find(({ kind }) => kind === 'skip' || kind === 'discard'),
    answered: (done) => {
      wishes = wishes.filter((wish) => !done.includes(wish));
      draw();
    },
    release: () => {
      paused = false;
      draw();
    },
    notify: new Set([
      ...(input.notify === undefined ? [] : [input.notify]),
      ...(input.carried?.notify ?? []),
    ]),
    hasNews: () => news,
    takeNews: () => {
      news = false;
    },
    whileRunning: async () => {
      if (!desk.paused || desk.ending()) return;
      draw();
      await condition(() => !desk.paused || desk.ending() !== undefined);
      draw();
    },
    waitUntil: async (instant, summary) => {
      const left = Math.max(1, instant - Date.now());
      await condition(() => news || desk.paused || desk.ending() !== undefined, left, { summary });
    },
    show: (change) => {
      Object.assign(shown, change);
      draw();
    },
    nextRequest,
    counts: () => shown.counts,
    opened: (ledger) => {
      inLedger = true;
      if (!ledger) return;
      const { published: visible, finality, counts, notice } = ledger;
      // What an earlier run could not do before it was ended by force.
      if (ledger.wish && !input.carried) wishes = wishes.reduce(withWish, fromLedger(ledger.wish));
      paused ??= ledger.paused;
      if (visible) desk.show({ finality, counts, notice });
      else draw();
    },
    isOpen: () => inLedger,
    quiet: () => condition(allHandlersFinished),
  };

  const draw = (): void => {
    setCurrentDetails(deliveryDetails(shown, desk.paused, toLedger(wishes)));
    if (published === shown.finality) return;
    published = shown.finality;
    upsertSearchAttributes([{ key: finalityKey, value: shown.finality }]);
  };

  /** One after the other: the ledger tells them in the order they came. What it does not take stands here all the same. */
  const write = async (change: DeliveryChange): Promise<void> => {
    const inTurn = async (): Promise<void> => {
      await condition(() => inLedger);
      await record(change);
    };
    // A workflow that is cancelled still writes down what it was told.
    const turn = writing.then(() => (wishesStand() ? CancellationScope.nonCancellable(inTurn) : inTurn()));
    writing = turn.catch(() => undefined);
    try {
      await turn;
    } catch (error) {
      if (!wishesStand()) throw error;
      const why = rootFailure(error)?.message ?? String(error);
      log.error(`The ledger did not take '${change.kind}' (${change.reason}): ${why}`, { delivery: id });
    }
  };

  /** Notes what was asked for. */
  const hear = (name: DeliverySignal, reason: string, request: string): void => {
    if (name === 'pause' || name === 'resume') {
      paused = name === 'pause';
      return;
    }
    const wish = { kind: name, reason, request };
    // What is being loaded has its marker, or was accepted before.
    const loads = shown.finality === 'loading' && !(desk.ending() && wishesStand());
    // Runs that began earlier took a skip for the last word.
    wishes = name === 'skip' && !wishesStand() ? [wish] : withWish(wishes, wish);
    if (name !== 'accept' || !loads) news = true;
  };

  const takeSignal = async (name: DeliverySignal, argument: SignalArgument | string | undefined) => {
    const reason = readReason(argument);
    const request = nextRequest();
    log.info(`${name}: ${reason}`, { delivery: id });
    hear(name, reason, request);
    draw();
    const wish = toLedger(wishes);
    await write({
      ...{ id, kind: `signal:${name}`, reason, request },
      ...(name === 'pause' || name === 'resume' ? { paused: desk.paused } : {}),
      ...(wish?.request === request ? { wish } : {}),
    });
  };
  const takeUnknown = async (name: string, argument: SignalArgument | string | undefined) => {
    if (!wishesStand()) return;
    const reason = notUnderstood(name, argument, 'A delivery', deliverySignals);
    log.warn(reason, { delivery: id });
    desk.show({ answer: reason });
    await write({ id, kind: `signal:${name.slice(0, 60)}`, reason, request: nextRequest() });
  };
  const take = async (name: string, argument: unknown): Promise<void> => {
    const known = deliverySignals.find((one) => one === name);
    if (name === notifySignal.name) desk.notify.add(argument as string);
    else if (known) await takeSignal(known, argument as SignalArgument | string | undefined);
    else await takeUnknown(name, argument as SignalArgument | string | undefined);
  };

  // Signals that were there before us are handed over by name, one handler after the other. They are taken in the order
  // in which they came, by the handler that takes them all.
  const early: { readonly name: string; readonly taken: () => Promise<void> }[] = [];
  let listening = false;
  setDefaultSignalHandler((name, argument) => {
    if (listening) return take(name, argument);
    return new Promise<void>((resolve, reject) => {
      early.push({ name, taken: () => take(name, argument).then(resolve, reject) });
    });
  });
  for (const name of deliverySignals) {
    setHandler(
      defineSignal<[SignalArgument | string | undefined]>(name),
      (argument) => takeSignal(name, argument),
      { description: meanings[name] },
    );
  }
  setHandler(notifySignal, (workflowId) => void desk.notify.add(workflowId), {
    description: 'Tell this workflow when the delivery comes to rest.',
  });
  listening = true;
  // Runs that began earlier took them by name.
  const byName: readonly string[] = [...deliverySignals, notifySignal.name];
  if (early.length > 1 && !wishesStand()) {
    early.sort((one, other) => byName.indexOf(one.name) - byName.indexOf(other.name));
  }
  for (const { taken } of early) void taken();

  setHandler(
    defineQuery<DeliveryStatus>(statusQuery),
    () => {
      const wish = toLedger(wishes);
      return {
        delivery: id,
        paused: desk.paused,
        deadline: new Date(input.deadline).toISOString(),
        finality: shown.finality,
        ...(wish ? { wish: `${wish.wish} (${wish.reason})` } : {}),
        next: shown.next,
        ...(shown.notice === undefined ? {} : { notice: shown.notice }),
        ...(shown.counts === undefined ? {} : { counts: shown.counts }),
        ...(shown.filesPlanned === undefined ? {} : { filesPlanned: shown.filesPlanned }),
      };
    },
    { description: 'Finality, counts and next step.' },
  );
  draw();
  return desk;
}

/** What an earlier run of the delivery hands on. */
function carriedWishes(carried: CarriedDelivery | undefined): readonly Wish[] {
  if (carried?.wishes) return carried.wishes;
  const kinds: readonly WishKind[] = [
    ...(carried?.force === true ? ['reprocess' as const] : []),
    ...(carried?.accepted === true ? ['accept' as const] : []),
  ];
  return kinds.map((kind) => ({ kind, reason: noReason, request: '' }));
}
