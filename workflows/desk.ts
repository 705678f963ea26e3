/**
 * Where people's wishes for a delivery arrive: the signals, the queue of what is still to be done about them, the
 * `status` query and what the Web UI shows. Handlers only note a wish and write it into the ledger; the delivery's own
 * loop acts on it.
 */

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { deliverySignals, searchAttributes, statusQuery } from '../model/control.js';
import type {
  DeliveryInput,
  DeliverySignal,
  DeliveryStatus,
  LoadCounts,
  SignalArgument,
} from '../model/control.js';
import type { LedgerDelivery } from '../warehouse/ledger-delivery.js';
import { deliveryDetails, type Shown } from './details.js';
import { record } from './steps.js';

/** Ends the delivery: what it has to come to rest as. */
export interface Ending {
  readonly kind: 'skip' | 'discard';
  readonly reason: string;
}

export interface Desk {
  readonly id: string;
  /** Load again, whatever the ledger says. */
  force: boolean;
  /** Treat the day as complete without its marker. */
  accepted: boolean;
  /** Why, in the words of who said so. */
  readonly acceptedBecause: string;
  readonly paused: boolean;
  /** Workflows that want to hear when the delivery comes to rest. */
  readonly notify: Set<string>;
  /** Something was asked for since the last `takeNews`. */
  hasNews(): boolean;
  takeNews(): void;
  ending(): Ending | undefined;
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
  /** The delivery is in the ledger, as given: from now on handlers may write to it. */
  opened(ledger: LedgerDelivery): void;
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
  let ending: Ending | undefined;
  let writing = Promise.resolve();
  let requests = 0;
  const nextRequest = (): string => `${workflowInfo().runId}/${++requests}`;

  const desk: Desk & { paused: boolean; acceptedBecause: string } = {
    id,
    force: input.carried?.force ?? false,
    accepted: input.carried?.accepted ?? false,
    acceptedBecause: input.carried?.acceptedBecause ?? noReason,
    paused: input.carried?.paused ?? false,
    notify: new Set([
      ...(input.notify === undefined ? [] : [input.notify]),
      ...(input.carried?.notify ?? []),
    ]),
    hasNews: () => news,
    takeNews: () => {
      news = false;
    },
    ending: () => ending,
    whileRunning: async () => {
      if (!desk.paused || ending) return;
      draw();
      await condition(() => !desk.paused || ending !== undefined);
      draw();
    },
    waitUntil: async (instant, summary) => {
      const left = Math.max(1, instant - Date.now());
      await condition(() => news || desk.paused || ending !== undefined, left, { summary });
    },
    show: (change) => {
      Object.assign(shown, change);
      draw();
    },
    nextRequest,
    counts: () => shown.counts,
    opened: ({ published: visible, finality, counts, notice }) => {
      inLedger = true;
      if (visible) desk.show({ finality, counts, notice });
    },
    quiet: () => condition(allHandlersFinished),
  };

  const draw = (): void => {
    setCurrentDetails(deliveryDetails(shown, desk.paused));
    if (published === shown.finality) return;
    published = shown.finality;
    upsertSearchAttributes([{ key: finalityKey, value: shown.finality }]);
  };

  const act: Readonly<Record<DeliverySignal, (reason: string) => void>> = {
    reprocess: () => {
      desk.force = true;
      ending = undefined;
      news = true;
    },
    accept: (reason) => {
      desk.accepted = true;
      desk.acceptedBecause = reason;
      ending = undefined;
      // What is being loaded has its marker, or was accepted before.
      news ||= shown.finality !== 'loading';
    },
    skip: (reason) => {
      ending = { kind: 'skip', reason };
      news = true;
    },
    discard: (reason) => {
      ending = { kind: 'discard', reason };
      news = true;
    },
    pause: () => {
      desk.paused = true;
    },
    resume: () => {
      desk.paused = false;
    },
  };

  for (const name of deliverySignals) {
    setHandler(
      defineSignal<[SignalArgument | string | undefined]>(name),
      async (argument) => {
        const reason = readReason(argument);
        const request = nextRequest();
        log.info(`${name}: ${reason}`, { delivery: id });
        act[name](reason);
        draw();
        const change = { id, kind: `signal:${name}`, reason, paused: desk.paused, request };
        // One after the other: the ledger tells them in the order they came.
        writing = writing.then(async () => {
          await condition(() => inLedger);
          await record(change);
        });
        await writing;
      },
      { description: meanings[name] },
    );
  }
  setHandler(notifySignal, (workflowId) => void desk.notify.add(workflowId), {
    description: 'Tell this workflow when the delivery comes to rest.',
  });
  setHandler(
    defineQuery<DeliveryStatus>(statusQuery),
    () => ({
      delivery: id,
      paused: desk.paused,
      deadline: new Date(input.deadline).toISOString(),
      finality: shown.finality,
      next: shown.next,
      ...(shown.notice === undefined ? {} : { notice: shown.notice }),
      ...(shown.counts === undefined ? {} : { counts: shown.counts }),
      ...(shown.filesPlanned === undefined ? {} : { filesPlanned: shown.filesPlanned }),
    }),
    { description: 'Finality, counts and next step.' },
  );
  draw();
  return desk;
}

/** The Web UI's form sends what a person typed: an object, a bare string, or nothing. */
export function readReason(argument: SignalArgument | string | undefined): string {
  const reason = typeof argument === 'string' ? argument : argument?.reason;
  return typeof reason === 'string' && reason.trim() !== '' ? reason.trim().slice(0, 2_000) : noReason;
}

const noReason = 'No reason given.';
