import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import type { DeliveryInput, DeliveryStatus } from '../../model/control.js';
import { eventually } from '../support/eventually.js';
import { forgetfulServer } from './forgetful-server.js';
import { inputOf, resultOf, runsOf } from './observe.js';
import { watchedSource, type Delivery, type WatchedSource } from './watched-source.js';

const date = '2026-03-01';
const reason = { reason: 'because the test says so' };

describe('a delivery whose history grows long while it waits', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let client: Client;
  let source: WatchedSource;

  beforeEach(async () => {
    ({ environment } = await forgetfulServer());
    client = environment.client;
    source = await watchedSource();
  });
  afterEach(() => source.drop());

  const start = async (changes: Partial<DeliveryInput> = {}): Promise<void> => {
    const deadline = Date.now() + 3_600_000;
    await source.startDelivery(client, 'events', date, { deadline, pollEvery: 1, ...changes });
  };
  /** Whatever run is the newest. */
  const delivery = (): Delivery => client.workflow.getHandle(source.id('events', date));
  const status = (): Promise<DeliveryStatus> => delivery().query('status');
  const runs = (): Promise<string[]> => runsOf(client, source.id('events', date));
  const waits = (): Promise<DeliveryStatus> =>
    eventually(
      async () => {
        const now = await status();
        return now.next.includes('waiting since') ? now : undefined;
      },
      { timeoutMs: 10_000 },
    );
  const inRun = async (count: number): Promise<void> => {
    await eventually(async () => (await runs()).length >= count, { timeoutMs: 20_000, everyMs: 200 });
  };

  it('goes on in a new run, which knows since when it waits, how often it looked and who listens', async () => {
    await source.watch(environment, async () => {
      await start({ notify: 'one' });
      await delivery().signal('notify', 'another');
      await delivery().signal('reprocess', reason);
      const before = await waits();
      await inRun(3);
      const after = await waits();
      const since = /waiting since [^)]*/;
      assert.equal(since.exec(after.next)?.[0], since.exec(before.next)?.[0]);
      assert.deepEqual([after.deadline, after.paused, after.finality], [before.deadline, false, 'waiting']);
      const { carried } = await inputOf<DeliveryInput>(delivery());
      assert.deepEqual(carried?.notify, ['one', 'another']);
      assert.ok(carried.looks >= 3, `${carried.looks} looks`);

      await source.complete('events', date);
      assert.equal((await resultOf(delivery())).finality, 'final');
      assert.equal(source.plans[0]?.force, true, 'it was asked to reprocess');
    });
  });

  describe('loses no signal that comes just then', () => {
    /** Sends a signal while the run only waits for the ledger before it hands over to the next one. */
    const sentInBetween = async (...signals: readonly string[]): Promise<void> => {
      const written = source.holdChanges('signal:resume');
      await start();
      await waits();
      await delivery().signal('resume', reason);
      await eventually(
        async () => {
          const { events } = await delivery().fetchHistory();
          return events?.some(
            ({ workflowTaskStartedEventAttributes: task }) => task?.suggestContinueAsNew === true,
          );
        },
        { timeoutMs: 20_000, everyMs: 100 },
      );
      assert.equal((await runs()).length, 1, 'it has not gone on yet');
      for (const signal of signals) {
        await delivery().signal(signal, signal === 'notify' ? 'another' : reason);
      }
      written();
    };

    const cases = [
      ['accept', 'final'],
      ['skip', 'skipped'],
      ['discard', 'discarded'],
    ] as const;
    for (const [signal, finality] of cases) {
      it(`${signal}: it is ${finality}`, async () => {
        await source.watch(environment, async () => {
          await sentInBetween(signal);
          assert.equal((await resultOf(delivery())).finality, finality);
        });
      });
    }

    it('reprocess: the load is forced', async () => {
      await source.watch(environment, async () => {
        await sentInBetween('reprocess');
        await inRun(2);
        await source.complete('events', date);
        assert.equal((await resultOf(delivery())).finality, 'final');
        assert.equal(source.plans[0]?.force, true);
      });
    });

    it('pause: the next run does nothing until resume', async () => {
      await source.watch(environment, async () => {
        await sentInBetween('pause', 'notify');
        await inRun(2);
        await eventually(async () => (await status()).paused, { timeoutMs: 10_000 });
        await source.complete('events', date);
        assert.deepEqual((await inputOf<DeliveryInput>(delivery())).carried?.notify, ['another']);
        await delivery().signal('resume', reason);
        assert.equal((await resultOf(delivery())).finality, 'final');
      });
    });
  });
});
