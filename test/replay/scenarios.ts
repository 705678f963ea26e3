/** What happened to the workflows whose histories are kept: together they take every way through the code. */

import { ApplicationFailure, type Client } from '@temporalio/client';

import type { ScriptedExport } from '../../sandbox/leanplum/api.js';
import { makeJob, type MadeFile } from '../../sandbox/leanplum/job.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import type { MonetateApiServer } from '../../sandbox/monetate/api.js';
import { backfillId, type BackfillInput, type DeliveryInput } from '../../model/control.js';
import { failureTypes, type FailureType } from '../../model/failure.js';
import { eventually } from '../support/eventually.js';
import { prefix, type TestSource, type TestSourceOptions } from '../support/landfall.js';
import { rewrite } from '../support/megaphone.js';
import { makeDays } from '../warehouse/days.js';
import { march, recent } from '../warehouse/merging.js';
import { resultOf } from '../workflows/observe.js';
import type { Delivery, HeldStep, WatchedSource } from '../workflows/watched-source.js';
import { dynatraceScenarios } from './dynatrace-scenarios.js';
import { exportScenarios } from './export-scenarios.js';
import { monetateScenarios } from './monetate-scenarios.js';
import { namesScenarios } from './names-scenarios.js';
import { date, delivery, looked, shrinking, start, untilHeld, upload } from './optimizely-day.js';
import { requestScenarios } from './request-scenarios.js';

export interface Scenario {
  /** On a server that suggests to continue as new after few events. */
  readonly longHistory?: boolean;
  readonly filesPerBatch?: number;
  /** Of the source; an Optimizely one where they name no other vendor. */
  readonly settings?: Record<string, unknown>;
  /** Opens the source, where its files do not lie in a bucket. */
  readonly open?: (options: TestSourceOptions) => Promise<TestSource>;
  /** What comes of an export that is asked for. */
  readonly exported?: ScriptedExport;
  /** How many variants an API names that the source has, and what is made wrong with it. */
  readonly names?: { readonly variants: number; readonly prepare?: (server: MonetateApiServer) => void };
  /** Happens before there is a worker. */
  readonly before?: (source: WatchedSource, client: Client) => Promise<void>;
  /** Lets it happen until the workflow has ended whose history is kept. */
  readonly play: (source: WatchedSource, client: Client) => Promise<{ workflowId: string }>;
}

const discover: Scenario['play'] = async (source, client) => {
  const started = await client.workflow.start('discover', {
    workflowId: 'experiments/discover',
    taskQueue: source.taskQueue,
    args: [{ source: 'experiments' }],
    workflowExecutionTimeout: '10 minutes',
  });
  await resultOf(started);
  return started;
};

/** It waits for its marker, and is sent signals. */
const whileWaiting = (...signals: readonly string[]): Scenario =>
  delivery(async (source, client) => {
    const started = await start(source, client);
    await looked(source, 2);
    for (const signal of signals) await started.signal(signal, { reason: `${signal}, while it waits` });
    if (signals.includes('resume')) await upload(source);
    return started;
  });

/** It is complete, and is sent a signal when a step has begun; another one, if any, when the step is over. */
const during = (step: HeldStep, signal: string, afterwards?: string): Scenario =>
  delivery(async (source, client) => {
    await upload(source);
    const release = source.hold('events', date, step);
    const started = await start(source, client);
    const pending = async (): Promise<boolean> => {
      const { pendingActivities } = (await started.describe()).raw;
      return pendingActivities?.some(({ activityType }) => activityType?.name === step) ?? false;
    };
    await eventually(pending, { timeoutMs: 10_000 });
    await started.signal(signal, { reason: `${signal}, when ${step} had begun` });
    release();
    if (afterwards === undefined) return started;
    await eventually(async () => !(await pending()), { timeoutMs: 10_000 });
    await started.signal(afterwards, { reason: `${afterwards}, when ${step} was over` });
    return started;
  });

/** It is complete, and a step fails at its first attempt. */
const failing = (step: HeldStep, type: FailureType): Scenario =>
  delivery(async (source, client) => {
    await upload(source);
    source.once(step, () =>
      Promise.reject(
        ApplicationFailure.create({ type, nonRetryable: true, message: `${type} at the first ${step}` }),
      ),
    );
    return start(source, client);
  });

const backfill = (input: Omit<BackfillInput, 'source' | 'types'>, options: Omit<Scenario, 'play'> = {}) => ({
  ...options,
  play: async (source: WatchedSource, client: Client) => {
    const types = ['events'];
    await source.complete('events', ...['02', '03', '04', '05', '06'].map((day) => `2026-03-${day}`));
    await source.inLedger('events', '2026-03-04', 'final');
    // One runs already, one never comes.
    const release = source.hold('events', '2026-03-06');
    await source.startDelivery(client, 'events', '2026-03-06');
    const started = await client.workflow.start('backfill', {
      workflowId: backfillId('experiments', input.from, input.to, types),
      taskQueue: source.taskQueue,
      args: [{ ...input, source: 'experiments', types }],
      workflowExecutionTimeout: '10 minutes',
    });
    await eventually(() => source.looks('events', '2026-03-02') > 0, { timeoutMs: 20_000 });
    release();
    await resultOf(started);
    return started;
  },
});

/** A Megaphone day whose file is rewritten; the vendor's hour comes after 3 seconds. */
const megaphone = (act: (source: WatchedSource, started: Delivery) => Promise<void>): Scenario =>
  delivery(
    async (source, client) => {
      await rewrite(source, { ...megaphoneDay, version: 20 });
      const now = Date.now();
      const instants = { closesAt: now + 3_000, deadline: now + 3_600_000 };
      const started = await source.startDelivery(client, 'metrics', date, { ...instants, pollEvery: 1_000 });
      await eventually(() => source.looks('metrics', date) >= 2, { timeoutMs: 10_000 });
      await act(source, started);
      return started;
    },
    { settings: { vendor: 'megaphone', settleFor: '1 second' } },
  );
const megaphoneDay = { date, rows: 240 } as const;

/** A Leanplum job of which all but some files are there; what is to be acted on comes when it was looked at twice. */
const job = (
  leftOut: readonly ('-manifest' | '-0')[],
  act: (source: WatchedSource, started: Delivery, missing: readonly MadeFile[]) => Promise<void>,
  changes: Partial<DeliveryInput> = {},
): Scenario =>
  delivery(
    async (source, client) => {
      const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
      const sessions = makeSessions({ count: 40, until: Date.parse('2026-03-01T12:00:00Z') });
      const { files, withheld } = makeJob({ uuid, date, sessions, shards: 2, withheld: leftOut });
      for (const { key, bytes } of files) await source.bucket.put(prefix + key, bytes);
      const started = await source.startJob(client, uuid, date, { pollEvery: 1_000, ...changes });
      await eventually(() => source.looksAt(started.workflowId) >= 2, { timeoutMs: 10_000 });
      await act(source, started, withheld);
      return started;
    },
    { settings: { vendor: 'leanplum' } },
  );
const putAll = async (source: WatchedSource, files: readonly MadeFile[]): Promise<void> => {
  for (const { key, bytes } of files) await source.bucket.put(prefix + key, bytes);
};
const nothing = (): Promise<void> => Promise.resolve();

export const scenarios: Readonly<Record<string, Scenario>> = {
  'delivery-waits-then-loads': delivery(async (source, client) => {
    const started = await start(source, client);
    await looked(source, 2);
    await upload(source);
    return started;
  }),
  'delivery-loads-at-once': delivery(async (source, client) => {
    await upload(source);
    return start(source, client);
  }),
  'delivery-is-an-empty-day': delivery(async (source, client) => {
    await source.complete('events', date);
    return start(source, client);
  }),
  'delivery-never-comes': delivery((source, client) =>
    source.startDelivery(client, 'events', date, { deadline: Date.now() - 1 }),
  ),
  'delivery-loses-a-file': delivery(async (source, client) => {
    const { parts } = await upload(source);
    source.once('plan', () => source.bucket.remove(`${prefix}${parts[0]?.key ?? ''}`));
    return start(source, client);
  }),
  'delivery-has-an-unreadable-file': failing('stage', failureTypes.fileUnreadable),
  'delivery-loses-its-staging': failing('publish', failureTypes.stagingLost),
  'delivery-is-refused': failing('look', failureTypes.accessDenied),
  'delivery-is-paused-while-it-waits': whileWaiting('pause', 'resume'),
  'delivery-is-accepted': whileWaiting('accept'),
  'delivery-is-skipped': whileWaiting('skip'),
  'delivery-is-paused-while-it-loads': during('stage', 'pause', 'resume'),
  'delivery-is-discarded-while-it-loads': during('stage', 'discard'),
  'delivery-is-reprocessed-while-it-loads': during('stage', 'reprocess'),
  'delivery-is-reprocessed-while-it-publishes': during('publish', 'reprocess'),
  'delivery-is-reprocessed-when-closed': delivery(async (source, client) => {
    await upload(source);
    const first = await start(source, client);
    await resultOf(first);
    return client.workflow.signalWithStart('optimizely', {
      workflowId: first.workflowId,
      taskQueue: source.taskQueue,
      args: [source.input('events', date)],
      signal: 'reprocess',
      signalArgs: [{ reason: 'once more' }],
      workflowExecutionTimeout: '10 minutes',
    });
  }),
  'delivery-is-cancelled': delivery(async (source, client) => {
    const started = await start(source, client);
    await looked(source, 2);
    await started.cancel();
    return started;
  }),
  'delivery-changes-when-final': shrinking(11, () => Promise.resolve()),
  'delivery-is-held-and-accepted': shrinking(2, async (source, started) => {
    await untilHeld(source);
    await looked(source, 4);
    await started.signal('accept', { reason: 'the vendor removed a test' });
  }),
  'delivery-is-held-for-long': shrinking(
    2,
    async (source, started) => {
      await untilHeld(source);
      await eventually(() => source.looks('events', date) >= 12, { timeoutMs: 60_000 });
      await started.signal('skip', { reason: 'we keep what we have' });
    },
    { longHistory: true },
  ),
  'delivery-waits-for-long': delivery(
    async (source, client) => {
      const started = await start(source, client);
      await looked(source, 5);
      await upload(source);
      return started;
    },
    { longHistory: true },
  ),
  'delivery-loads-for-long': delivery(
    async (source, client) => {
      await upload(source);
      return start(source, client);
    },
    { longHistory: true, filesPerBatch: 1 },
  ),
  'megaphone-is-rewritten': megaphone(async (source) => {
    await rewrite(source, { ...megaphoneDay, version: 28 });
  }),
  'megaphone-is-accepted': megaphone((_, started) => started.signal('accept', { reason: 'as it is' })),
  'megaphone-changes-when-final': delivery(
    async (source, client) => {
      const closed = { closesAt: 0, pollEvery: 1_000 };
      await rewrite(source, { ...megaphoneDay, version: 28 });
      await resultOf(await source.startDelivery(client, 'metrics', date, closed));
      await rewrite(source, { ...megaphoneDay, version: 29 });
      return source.startDelivery(client, 'metrics', date, closed);
    },
    { settings: { vendor: 'megaphone', settleFor: '1 second' } },
  ),
  'megaphone-never-comes': delivery(
    (source, client) => source.startDelivery(client, 'metrics', date, { deadline: Date.now() - 1 }),
    { settings: { vendor: 'megaphone' } },
  ),
  'job-waits-then-loads': job(['-manifest'], (source, _, missing) => putAll(source, missing)),
  'job-misses-a-shard': job(['-0'], (source, _, missing) => putAll(source, missing)),
  'job-is-accepted': job(['-manifest'], (_, started) => started.signal('accept', { reason: 'all there is' })),
  'job-fails': job(['-0'], nothing, { uploadGrace: 2_000 }),
  'job-is-discarded': job(['-manifest'], nothing, { discardAfter: 2_000 }),
  'job-is-discarded-and-deleted': job(['-manifest'], nothing, { discardAfter: 2_000, deleteDiscarded: true }),
  'job-is-taken-up-again': delivery(
    async (source, client) => {
      const discarded = await scenarios['job-is-discarded']!.play(source, client);
      const [, uuid = ''] = discarded.workflowId.split('/');
      const { files } = makeJob({ uuid, date, sessions: [] });
      await putAll(source, files);
      return source.startJob(client, uuid, date);
    },
    { settings: { vendor: 'leanplum' } },
  ),
  ...dynatraceScenarios,
  ...exportScenarios,
  ...monetateScenarios,
  ...namesScenarios,
  ...requestScenarios,
  backfill: backfill({ from: '2026-03-01', to: '2026-03-06', maxInFlight: 2, askEvery: 1_000 }),
  'backfill-for-long': backfill(
    { from: '2026-03-01', to: '2026-03-06', maxInFlight: 2 },
    { longHistory: true },
  ),
  discover: { play: discover },
  'discover-merges-days': {
    play: async (source, client) => {
      await makeDays(source.database.pool, [...march, ...recent], 1);
      return discover(source, client);
    },
  },
};
