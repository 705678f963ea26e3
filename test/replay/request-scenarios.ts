/** What people ask of deliveries and backfills, as workflows hear it since the patch `wishes-stand`. */

import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';

import { withHeartbeat } from '../../activities/heartbeat.js';
import { backfillId, stopSignal, type BackfillInput, type DeliverySignal } from '../../model/control.js';
import { eventually } from '../support/eventually.js';
import { resultOf } from '../workflows/observe.js';
import type { Delivery, HeldStep, WatchedSource } from '../workflows/watched-source.js';
import { date, delivery, shrinking, start, untilHeld, upload } from './optimizely-day.js';
import type { Scenario } from './scenarios.js';

/** Nothing is under way but the timer that it waits for. */
const asleep = async (started: Delivery): Promise<void> => {
  const waits = async (): Promise<boolean> => {
    const { events } = await started.fetchHistory();
    return Boolean(events?.at(-1)?.timerStartedEventAttributes);
  };
  await eventually(waits, { timeoutMs: 20_000 });
};

const inLedger = async (source: WatchedSource, kind: string): Promise<void> => {
  const noted = async (): Promise<boolean> =>
    (await source.rows(`select from landfall.delivery_event where kind = '${kind}'`)).length > 0;
  await eventually(noted, { timeoutMs: 20_000 });
};

/** It was looked at once, and waits for its marker. */
const whileWaiting = (act: (started: Delivery, source: WatchedSource) => Promise<void>): Scenario =>
  delivery(async (source, client) => {
    const started = await source.startDelivery(client, 'events', date, { deadline: Date.now() + 3_600_000 });
    await asleep(started);
    await act(started, source);
    return started;
  });

/** It is complete, and is sent signals before there is a worker. */
const beginning = (first: DeliverySignal, second: DeliverySignal): Scenario => ({
  before: async (source, client) => {
    await upload(source);
    const started = await client.workflow.signalWithStart('optimizely', {
      workflowId: source.id('events', date),
      taskQueue: source.taskQueue,
      args: [source.input('events', date)],
      signal: first,
      signalArgs: [{ reason: `${first}, at the start` }],
      workflowExecutionTimeout: '10 minutes',
    });
    await started.signal(second, { reason: `${second}, right after it` });
  },
  play: async (source, client) => {
    const started = client.workflow.getHandle(source.id('events', date));
    await resultOf(started);
    return started;
  },
});

/** It is complete, and a step has begun that does not end before it is cancelled. */
const whileStuck = (step: HeldStep, act: (started: Delivery) => Promise<void>): Scenario =>
  delivery(
    async (source, client) => {
      await upload(source);
      let begun = false;
      source.once(step, () => {
        begun = true;
        return withHeartbeat(
          () => undefined,
          () => Context.current().cancelled,
        );
      });
      const started = await start(source, client);
      await eventually(() => begun, { timeoutMs: 20_000 });
      await act(started);
      return started;
    },
    // One batch, so that nothing happens beside the step.
    { filesPerBatch: 12 },
  );

/** Two days of which one may be in flight: it is stopped while the first is looked at. */
const stopBackfill = async (source: WatchedSource, client: Client): Promise<{ workflowId: string }> => {
  const range = { from: '2026-03-05', to: '2026-03-06' };
  const types = ['events'];
  const input: BackfillInput = { source: 'experiments', types, ...range, maxInFlight: 1 };
  source.hold('events', range.to);
  const started = await client.workflow.start('backfill', {
    workflowId: backfillId('experiments', range.from, range.to, types),
    taskQueue: source.taskQueue,
    args: [input],
    workflowExecutionTimeout: '10 minutes',
  });
  await eventually(() => source.looks('events', range.to) > 0, { timeoutMs: 20_000 });
  await started.signal(stopSignal, { reason: 'the warehouse is moved' });
  await resultOf(started);
  return started;
};

export const requestScenarios: Readonly<Record<string, Scenario>> = {
  'delivery-is-cancelled-while-it-waits': whileWaiting(async (started) => {
    await started.cancel();
  }),
  'delivery-is-cancelled-while-it-loads': whileStuck('stage', async (started) => {
    await started.cancel();
  }),
  'delivery-is-discarded-while-it-looks': whileStuck('look', (started) =>
    started.signal('discard', { reason: 'its look does not end' }),
  ),
  'delivery-is-sent-an-unknown-signal': whileWaiting(async (started, source) => {
    await started.signal('reproces', { reason: 'somebody mistyped it' });
    await inLedger(source, 'signal:reproces');
    await started.signal('skip', { reason: 'it is not needed' });
  }),
  'delivery-begins-with-two-signals': beginning('skip', 'reprocess'),
  'delivery-is-accepted-while-it-is-held': shrinking(2, async (source, started) => {
    await untilHeld(source);
    await asleep(started);
    await started.signal('accept', { reason: 'the vendor removed a test' });
  }),
  'delivery-is-accepted-before-it-is-held': shrinking(2, async (source, started) => {
    source.once('publish', () => started.signal('accept', { reason: 'of the version before' }));
    await untilHeld(source);
    await asleep(started);
    await started.signal('skip', { reason: 'we keep what we have' });
  }),
  'backfill-is-stopped': { play: stopBackfill },
};
