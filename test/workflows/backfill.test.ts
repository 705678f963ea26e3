import assert from 'node:assert/strict';

import type { Client, WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import {
  backfillId,
  type BackfillInput,
  type BackfillStatus,
  type DeliveryInput,
  type DeliveryResult,
} from '../../model/control.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/temporal.js';
import { forgetfulServer } from './forgetful-server.js';
import { childrenStarted, currentDetails, resultOf, runsOf } from './observe.js';
import { watchedSource, type WatchedSource } from './watched-source.js';

/** Days of March 2026. */
const days = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `2026-03-${String(first + i).padStart(2, '0')}`);
const newest = '2026-03-06';

type Backfill = WorkflowHandle<(input: BackfillInput) => Promise<BackfillStatus>>;

describe('a backfill', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let client: Client;
  let source: WatchedSource;

  const use = async (
    server: { environment: TestWorkflowEnvironment },
    settings: Record<string, unknown> = {},
  ) => {
    ({ environment } = server);
    client = environment.client;
    source = await watchedSource({ settings });
  };
  beforeEach(async () => use(await devServer()));
  afterEach(() => source.drop());

  const start = async (changes: Partial<BackfillInput> = {}): Promise<Backfill> => {
    const input: BackfillInput = {
      source: source.config.name,
      types: ['events'],
      from: '2026-03-01',
      to: newest,
      maxInFlight: 2,
      ...changes,
    };
    return client.workflow.start('backfill', {
      workflowId: backfillId(input.source, input.from, input.to, input.types),
      taskQueue: source.taskQueue,
      args: [input] as [BackfillInput],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowExecutionTimeout: '10 minutes',
    });
  };
  const watch = <T>(work: () => Promise<T>): Promise<T> => source.watch(environment, work);
  const status = (backfill: Backfill) => backfill.query<BackfillStatus>('status');
  const delivery = (type: string, date: string) =>
    client.workflow.getHandle<(input: DeliveryInput) => Promise<DeliveryResult>>(source.id(type, date));

  it('answers a signal that it does not know, and goes on', async () => {
    await source.complete('events', ...days(1, 6));
    const backfill = await start();
    await backfill.signal('pause', { reason: 'Postgres is moved' });
    const { answer, ...result } = await watch(() => resultOf(backfill));
    assert.deepEqual([result.done, result.started], [true, 6]);
    assert.match(
      answer ?? '',
      /^There is no signal 'pause'.* \(Postgres is moved\)\. A backfill takes stop\.$/,
    );
  });

  it('starts each day of each type under its own id, newest first', async () => {
    const types = ['decisions', 'events'];
    for (const type of types) await source.complete(type, ...days(1, 6));
    const backfill = await start({ types, maxInFlight: 4 });
    const result = await watch(() => resultOf(backfill));
    assert.deepEqual(result, {
      days: 6,
      daysDone: 6,
      started: 12,
      leftAlone: 0,
      settled: { final: 12 },
      failed: [],
      inFlight: [],
      done: true,
    });
    assert.deepEqual(
      await childrenStarted(backfill),
      days(1, 6)
        .reverse()
        .flatMap((date) => types.map((type) => source.id(type, date))),
    );
    assert.equal(source.mostAtWork(), 4);
    assert.equal(await source.finality('decisions', '2026-03-01'), 'final');
  });

  it('starts deliveries as a person or the schedule would: summary, details, attributes, without a timeout', async () => {
    await source.complete('events', newest);
    const backfill = await start({ from: newest });
    await watch(() => resultOf(backfill));
    const { raw, typedSearchAttributes, staticSummary, staticDetails } = await delivery(
      'events',
      newest,
    ).describe();
    assert.equal(await staticSummary(), `${source.config.name}: events of ${newest}`);
    assert.match((await staticDetails()) ?? '', /What optimizely exported as \*\*events\*\*/);
    const attributes = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    assert.deepEqual(Object.fromEntries(attributes.filter(([name]) => name !== 'BuildIds')), {
      LandfallSource: source.config.name,
      LandfallVendor: 'optimizely',
      DeliveryDate: new Date(`${newest}T00:00:00Z`),
      Finality: 'final',
    });
    // The backfill's own would end a delivery that waits for days.
    assert.equal(Number(raw.executionConfig?.workflowExecutionTimeout?.seconds ?? 0), 0);
  });

  it('never has more than maxInFlight at work, and a slow one holds up no other', async () => {
    await source.complete('events', ...days(1, 6));
    const [releaseSlow, releaseNext] = [source.hold('events', newest), source.hold('events', '2026-03-05')];
    await watch(async () => {
      const backfill = await start();
      await eventually(() => source.atWork.size === 2, { timeoutMs: 10_000 });
      assert.deepEqual((await status(backfill)).inFlight, [
        source.id('events', newest),
        source.id('events', '2026-03-05'),
      ]);
      releaseNext();
      await eventually(async () => (await status(backfill)).settled.final === 5, { timeoutMs: 15_000 });
      assert.deepEqual(await status(backfill), {
        days: 6,
        daysDone: 6,
        started: 6,
        leftAlone: 0,
        settled: { final: 5 },
        failed: [],
        inFlight: [source.id('events', newest)],
        done: false,
      });
      assert.match(
        await currentDetails(backfill),
        new RegExp(`In flight \\| ${source.id('events', newest)} \\|`),
      );
      releaseSlow();
      await resultOf(backfill);
    });
    assert.equal(source.mostAtWork(), 2);
  });

  it('leaves final, skipped and discarded days alone and starts failed and unfinished ones again', async () => {
    await source.complete('events', ...days(1, 6));
    await source.inLedger('events', '2026-03-06', 'final');
    await source.inLedger('events', '2026-03-05', 'skipped');
    await source.inLedger('events', '2026-03-04', 'discarded');
    await source.inLedger('events', '2026-03-03', 'failed');
    await source.inLedger('events', '2026-03-02', 'waiting');
    const backfill = await start();
    const result = await watch(() => resultOf(backfill));
    assert.deepEqual(
      await childrenStarted(backfill),
      days(1, 3)
        .reverse()
        .map((date) => source.id('events', date)),
    );
    assert.deepEqual([result.started, result.leftAlone, result.settled], [3, 3, { final: 3 }]);
    assert.equal(await source.finality('events', '2026-03-04'), 'discarded');
  });

  it('counts and names the days that failed, and goes on', async () => {
    await source.complete('events', '2026-03-06', '2026-03-04');
    const backfill = await start({ from: '2026-03-04' });
    const result = await watch(async () => {
      const ended = await resultOf(backfill);
      assert.match(await currentDetails(backfill), /Came to rest \| 2 final, 1 failed \|/);
      assert.deepEqual(await status(backfill), ended, 'it still answers');
      return ended;
    });
    assert.deepEqual(result.settled, { final: 2, failed: 1 });
    assert.deepEqual(result.failed, [source.id('events', '2026-03-05')]);
  });

  it('run again it starts only what failed', async () => {
    await source.complete('events', ...days(1, 4));
    const ranges = { to: '2026-03-05' };
    await watch(async () => {
      assert.deepEqual((await resultOf(await start(ranges))).settled, { final: 4, failed: 1 });
      await source.complete('events', '2026-03-05');
      const second = await start(ranges);
      const { started, leftAlone, settled } = await resultOf(second);
      assert.deepEqual({ started, leftAlone, settled }, { started: 1, leftAlone: 4, settled: { final: 1 } });
      assert.deepEqual(await childrenStarted(second), [source.id('events', '2026-03-05')]);
    });
  });

  it('started twice is one', async () => {
    await source.complete('events', ...days(1, 6));
    const release = source.hold('events', newest);
    const [first, second] = await Promise.all([start(), start()]);
    assert.equal(first.workflowId, second.workflowId);
    assert.deepEqual(await runsOf(client, first.workflowId), [(await first.describe()).runId]);
    await watch(async () => {
      await eventually(() => source.atWork.size > 0, { timeoutMs: 10_000 });
      release();
      assert.deepEqual((await resultOf(first)).settled, { final: 6 });
    });
    for (const date of days(1, 6)) assert.equal(source.looks('events', date), 1, date);
  });

  it('joins a delivery that runs already, and hears when it comes to rest', async () => {
    await source.complete('events', ...days(5, 6));
    const release = source.hold('events', newest);
    await watch(async () => {
      const running = await source.startDelivery(client, 'events', newest);
      const before = (await running.describe()).runId;
      await eventually(() => source.looks('events', newest) === 1, { timeoutMs: 10_000 });
      const backfill = await start({ from: '2026-03-05' });
      await eventually(async () => (await status(backfill)).settled.final === 1, { timeoutMs: 10_000 });
      release();
      const { started, settled } = await resultOf(backfill);
      assert.deepEqual({ started, settled }, { started: 2, settled: { final: 2 } });
      assert.equal((await delivery('events', newest).describe()).runId, before);
    });
    assert.equal(source.looks('events', newest), 1);
  });

  it('finds by asking that a delivery was terminated, and calls it failed', async () => {
    await source.complete('events', '2026-03-05');
    source.hold('events', newest);
    await watch(async () => {
      const backfill = await start({ from: '2026-03-05', maxInFlight: 1, askEvery: 1_000 });
      await eventually(() => source.looks('events', newest) === 1, { timeoutMs: 10_000 });
      await delivery('events', newest).terminate('by hand');
      const { settled, failed } = await resultOf(backfill);
      assert.deepEqual(settled, { failed: 1, final: 1 });
      assert.deepEqual(failed, [source.id('events', newest)]);
    });
  });

  it('lets days that only wait for their marker hold up no other', async () => {
    await source.drop();
    // These days may still come.
    await use(await devServer(), { giveUpAfter: '3650 days', pollEvery: '1 second' });
    await source.complete('events', ...days(1, 4));
    await watch(async () => {
      const backfill = await start({ askEvery: 1_000 });
      await eventually(async () => (await status(backfill)).settled.final === 4, { timeoutMs: 15_000 });
      assert.match(
        await currentDetails(backfill),
        new RegExp(`${source.id('events', newest)} \\(waits for its marker\\)`),
      );
      await source.complete('events', ...days(5, 6));
      assert.deepEqual((await resultOf(backfill)).settled, { final: 6 });
    });
  });

  it('cancelled it starts no more, and its deliveries go on', async () => {
    await source.complete('events', ...days(1, 6));
    const release = [source.hold('events', newest), source.hold('events', '2026-03-05')];
    await watch(async () => {
      const backfill = await start();
      await eventually(() => source.looks('events', '2026-03-05') === 1, { timeoutMs: 10_000 });
      await backfill.cancel();
      await assert.rejects(resultOf(backfill), /cancelled/i);
      for (const open of release) open();
      for (const date of days(5, 6)) await resultOf(delivery('events', date));
    });
    assert.equal(await source.finality('events', newest), 'final');
    assert.equal(await source.finality('events', '2026-03-04'), undefined);
  });

  /** Two days are in flight that wait for their marker, and two that are looked at. */
  const inTheMiddle = async (act: (backfill: Backfill) => Promise<void>): Promise<void> => {
    await source.drop();
    await use(await devServer(), { giveUpAfter: '3650 days', pollEvery: '1 second' });
    const looked = ['2026-03-04', '2026-03-03'].map((date) => source.hold('events', date));
    await watch(async () => {
      const backfill = await start({ askEvery: 1_000 });
      await eventually(() => source.looks('events', '2026-03-03') === 1, { timeoutMs: 20_000 });
      await act(backfill);
      for (const open of looked) open();
      await source.complete('events', ...days(1, 6));
      for (const date of days(3, 6)) {
        assert.equal((await resultOf(delivery('events', date), 30_000)).finality, 'final', date);
        assert.equal(await source.finality('events', date), 'final', date);
      }
    });
    for (const date of days(1, 2)) assert.equal(await source.finality('events', date), undefined, date);
  };

  it('cancelled it lets days go on that wait for their marker, and days at work', () =>
    inTheMiddle(async (backfill) => {
      await backfill.cancel();
      await assert.rejects(resultOf(backfill), /cancelled/i);
    }));

  it('stopped it ends with the reason, and its days go on', () =>
    inTheMiddle(async (backfill) => {
      await backfill.signal('stop', { reason: 'the warehouse is moved' });
      const { stopped, done, inFlight } = await resultOf(backfill);
      assert.deepEqual([stopped, done], ['the warehouse is moved', false]);
      assert.deepEqual(
        inFlight,
        days(3, 6)
          .reverse()
          .map((date) => source.id('events', date)),
      );
      assert.match(
        await currentDetails(backfill),
        /Stopped \| the warehouse is moved; what is in flight goes on/,
      );
    }));

  it('takes up a day again whose workflow was cancelled', async () => {
    await source.complete('events', newest);
    const release = source.hold('events', newest);
    await watch(async () => {
      const backfill = await start({ from: newest });
      await eventually(() => source.looks('events', newest) === 1, { timeoutMs: 10_000 });
      await delivery('events', newest).cancel();
      const { settled } = await resultOf(backfill);
      assert.deepEqual(settled, { waiting: 1 });
      assert.equal(await source.finality('events', newest), 'waiting');
      release();
      assert.deepEqual((await resultOf(await start({ from: newest }))).settled, { final: 1 });
    });
  });

  describe('whose history grows long', () => {
    beforeEach(async () => {
      await source.drop();
      await use(await forgetfulServer());
    });

    it('goes on in new runs, with deliveries under way, and forgets and repeats nothing', async () => {
      await source.complete('events', ...days(1, 12));
      await source.inLedger('events', '2026-03-07', 'final');
      const release = source.hold('events', '2026-03-12');
      await watch(async () => {
        const backfill = await start({ to: '2026-03-12', maxInFlight: 3 });
        await eventually(async () => (await status(backfill)).settled.final === 10, { timeoutMs: 30_000 });
        assert.deepEqual((await status(backfill)).inFlight, [source.id('events', '2026-03-12')]);
        release();
        const { days: all, daysDone, started, leftAlone, settled } = await resultOf(backfill);
        assert.deepEqual(
          { all, daysDone, started, leftAlone, settled },
          { all: 12, daysDone: 12, started: 11, leftAlone: 1, settled: { final: 11 } },
        );
        const runs = await runsOf(client, backfill.workflowId);
        assert.ok(runs.length >= 3, `${runs.length} runs`);
        const children = [];
        for (const runId of runs)
          children.push(...(await childrenStarted(client.workflow.getHandle(backfill.workflowId, runId))));
        assert.equal(children.length, 11);
        assert.equal(new Set(children).size, 11);
      });
      assert.ok(source.mostAtWork() <= 3);
    });
  });
});
