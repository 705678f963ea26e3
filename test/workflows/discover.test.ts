import assert from 'node:assert/strict';

import { ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';

import { createDiscover, type DiscoverStep } from '../../activities/discover.js';
import { openSources } from '../../activities/sources.js';
import { turns } from '../../activities/turns.js';
import { ensureSchedule, scheduleId, schedulesOf } from '../../client/setup/schedule.js';
import type { Finality } from '../../model/delivery.js';
import { addDays } from '../../model/day.js';
import { eventually } from '../support/eventually.js';
import { prefix } from '../support/landfall.js';
import { devServer } from '../support/temporal.js';
import { makeDays, partitionNames } from '../warehouse/days.js';
import { march, recent } from '../warehouse/merging.js';
import { childrenStarted, resultOf } from './observe.js';
import { watchedSource, type WatchedSource } from './watched-source.js';

/** A Saturday noon; `pollEvery`, `giveUpAfter` and so on are the vendor's defaults. */
const now = Date.parse('2026-03-14T12:00:00Z');
const today = '2026-03-14';
const yesterday = '2026-03-13';

interface Case {
  readonly name: string;
  readonly settings?: Record<string, unknown>;
  /** Folders below `type=events/`, each with one object. */
  readonly store?: readonly string[];
  readonly ledger?: Readonly<Record<string, Finality>>;
  readonly starts: readonly string[];
}

const cases: readonly Case[] = [
  { name: 'expects yesterday, even of an empty store', starts: [yesterday] },
  {
    name: 'takes up today as soon as its folder is there',
    store: [`date=${today}`],
    starts: [yesterday, today],
  },
  { name: 'does not wait for a day that has not begun', store: ['date=2026-03-15'], starts: [yesterday] },
  {
    name: 'takes up only days that may still be waited for, and leaves older ones to a backfill',
    store: ['date=2026-03-11', 'date=2026-03-10', 'date=2026-03-09', 'date=2020-05-25'],
    starts: ['2026-03-10', '2026-03-11', yesterday],
  },
  {
    name: 'waits longer where giveUpAfter says so',
    settings: { giveUpAfter: '8 days' },
    store: ['date=2026-03-06', 'date=2026-03-05', 'date=2026-03-04'],
    starts: ['2026-03-05', '2026-03-06', yesterday],
  },
  {
    name: 'takes up every day since the configured one',
    settings: { since: '2026-01-30' },
    store: ['date=2026-01-29', 'date=2026-01-30', 'date=2026-02-28'],
    starts: ['2026-01-30', '2026-02-28', yesterday],
  },
  { name: 'expects nothing before `since`', settings: { since: today }, starts: [] },
  {
    name: 'passes over folders that are no days, and files beside them',
    store: ['date=2026-02-30', 'date=NULL', 'day=2026-03-12', '_temporary', 'date=20260312'],
    starts: [yesterday],
  },
  {
    name: 'leaves what came to rest',
    store: ['date=2026-03-10', 'date=2026-03-11', 'date=2026-03-12', `date=${yesterday}`],
    ledger: {
      '2026-03-10': 'final',
      '2026-03-11': 'skipped',
      '2026-03-12': 'discarded',
      [yesterday]: 'failed',
    },
    starts: [],
  },
  {
    name: 'takes up again what the ledger knows as unfinished, whatever its age, folder or no folder',
    settings: { since: '2026-03-12' },
    ledger: {
      '2020-05-25': 'loading',
      '2026-03-01': 'waiting',
      '2026-03-12': 'provisional',
      [yesterday]: 'final',
    },
    starts: ['2020-05-25', '2026-03-01', '2026-03-12'],
  },
];

describe('discover', function () {
  this.timeout(60_000);
  let source: WatchedSource | undefined;
  afterEach(async () => {
    await source?.drop();
    source = undefined;
  });

  /** Runs the real activity on a real store and ledger. */
  const discover = async ({ database, config }: WatchedSource) => {
    const { source: opened, close } = openSources([config], database.pool);
    const step = createDiscover({
      pool: database.pool,
      source: opened,
      client: undefined as never,
      reader: { memoryLimit: '128MB', threads: 1, spillDirectory: '' },
      spoolDirectory: '',
      readers: turns(1),
    });
    try {
      const environment = new MockActivityEnvironment();
      return await environment.run<[DiscoverStep], Awaited<ReturnType<typeof step>>, typeof step>(step, {
        source: config.name,
        now,
      });
    } finally {
      await close();
    }
  };

  describe('finds what to start', () => {
    for (const { name, settings, store = [], ledger = {}, starts } of cases) {
      it(name, async () => {
        source = await watchedSource({ settings: { types: ['events'], ...settings } });
        await source.bucket.put(`${prefix}type=events/README`, 'no folder');
        for (const folder of store) {
          // Right in the folder: s3rver 3.7.1 does not show folders that hold nothing but folders.
          await source.bucket.put(`${prefix}type=events/${folder}/part-0.parquet`, 'PAR1');
        }
        for (const [date, finality] of Object.entries(ledger))
          await source.inLedger('events', date, finality);
        const found = await discover(source);
        assert.deepEqual(
          found.starts.map(({ workflowId }) => workflowId),
          starts.map((date) => source?.id('events', date)),
        );
      });
    }

    it('looks for each type of its own', async () => {
      source = await watchedSource();
      await source.bucket.put(`${prefix}type=decisions/date=${today}/part-0.parquet`, 'PAR1');
      const { starts } = await discover(source);
      assert.deepEqual(
        starts.map(({ input }) => `${input.type} ${input.date}`),
        [`decisions ${yesterday}`, `events ${yesterday}`, `decisions ${today}`],
      );
    });

    it('tells which tables have old days that are to be put together', async () => {
      source = await watchedSource();
      assert.equal((await discover(source)).crowded, undefined);
      await makeDays(source.database.pool, [...march, ...recent], 1, { source: source.config.name });
      assert.deepEqual((await discover(source)).crowded, ['events']);
    });

    it('starts at most 200 at a time, the oldest first', async () => {
      source = await watchedSource({ settings: { types: ['events'], since: '2025-01-01' } });
      const { bucket } = source;
      const days = Array.from({ length: 210 }, (_, i) => addDays('2025-01-01', i));
      await Promise.all(
        days.map((day) => bucket.put(`${prefix}type=events/date=${day}/_SUCCESS`, new Uint8Array())),
      );
      const { starts } = await discover(source);
      assert.deepEqual(
        starts.map(({ input }) => input.date),
        days.slice(0, 200),
      );
    });
  });

  describe('by its schedule', () => {
    let environment: TestWorkflowEnvironment;
    let client: Client;
    before(async () => {
      ({ environment } = await devServer());
      client = environment.client;
    });
    afterEach(async () => {
      if (source) await client.schedule.getHandle(scheduleId(source.config.name)).delete();
    });

    const ensure = ({ config, taskQueue }: WatchedSource) =>
      ensureSchedule(
        { client, connection: environment.connection, namespace: 'default' },
        schedulesOf(config, taskQueue)[0]!,
      );

    it('is one schedule a source, however often it is set up, that never runs twice at a time', async () => {
      source = await watchedSource({ settings: { discoverEvery: '20 minutes' } });
      assert.deepEqual([await ensure(source), await ensure(source)], ['created', 'updated']);
      const id = scheduleId(source.config.name);
      const schedule = client.schedule.getHandle(id);
      const { spec, policies, action, state } = await schedule.describe();
      assert.equal(spec.intervals?.[0]?.every, 20 * 60_000);
      assert.equal(policies.overlap, ScheduleOverlapPolicy.SKIP);
      assert.equal(policies.catchupWindow, 24 * 3_600_000);
      assert.equal(action.workflowId, id);
      assert.deepEqual(action.args, [{ source: source.config.name }]);
      assert.equal(state.paused, false);

      await schedule.pause('a person wants it quiet');
      await ensure({ ...source, config: { ...source.config, discoverEvery: 60_000 } });
      const changed = await schedule.describe();
      assert.equal(changed.spec.intervals?.[0]?.every, 60_000);
      assert.deepEqual([changed.state.paused, changed.state.note], [true, 'a person wants it quiet']);
    });

    it('puts old days together, which then lie in a partition of their month', async () => {
      source = await watchedSource({ settings: { since: '2026-11-01', discoverEvery: '30 days' } });
      const watched = source;
      await makeDays(watched.database.pool, [...march, ...recent], 1, { source: watched.config.name });
      await ensure(watched);
      await watched.watch(environment, async () => {
        await client.schedule.getHandle(scheduleId(watched.config.name)).trigger();
        await eventually(
          async () => {
            const names = await partitionNames(watched.database.pool);
            return names.includes('2026_03') && names.length === 1 + recent.length;
          },
          { timeoutMs: 30_000, everyMs: 200 },
        );
      });
    });

    it('starts the deliveries that are there, leaves running ones running, and ends while they go on', async () => {
      const date = new Date().toISOString().slice(0, 10);
      const before = addDays(date, -1);
      // Only when we trigger it.
      source = await watchedSource({ settings: { types: ['events'], discoverEvery: '30 days' } });
      const watched = source;
      await watched.complete('events', date);
      const release = watched.hold('events', before);
      await ensure(watched);
      const schedule = client.schedule.getHandle(scheduleId(watched.config.name));
      const nthRun = async (n: number) => {
        await schedule.trigger();
        const action = await eventually(
          async () => (await schedule.describe()).info.recentActions[n]?.action,
          { timeoutMs: 10_000, everyMs: 100 },
        );
        return client.workflow.getHandle(action.workflow.workflowId, action.workflow.firstExecutionRunId);
      };
      await watched.watch(environment, async () => {
        const first = await nthRun(0);
        assert.deepEqual(await resultOf(first), {
          started: [watched.id('events', before), watched.id('events', date)],
        });
        const today = client.workflow.getHandle(watched.id('events', date));
        assert.equal(((await resultOf(today)) as { finality: string }).finality, 'final');
        const yesterday = client.workflow.getHandle(watched.id('events', before));
        const description = await yesterday.describe();
        assert.equal(description.status.name, 'RUNNING');
        assert.equal(Number(description.raw.executionConfig?.workflowExecutionTimeout?.seconds ?? 0), 0);

        const second = await nthRun(1);
        assert.deepEqual(await resultOf(second), { started: [watched.id('events', before)] });
        assert.deepEqual(await childrenStarted(second), [watched.id('events', before)]);
        assert.equal((await yesterday.describe()).runId, description.runId);
        await watched.complete('events', before);
        release();
        assert.equal(((await resultOf(yesterday)) as { finality: string }).finality, 'final');
        assert.equal(watched.looks('events', before), 1);

        const third = await nthRun(2);
        assert.deepEqual(await resultOf(third), { started: [] });
      });
    });
  });
});
