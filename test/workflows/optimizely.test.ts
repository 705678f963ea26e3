import assert from 'node:assert/strict';

import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import type { DeliveryResult, DeliverySignal, DeliveryStatus } from '../../model/control.js';
import { failureTypes } from '../../model/failure.js';
import { eventually } from '../support/eventually.js';
import { timeSkipping } from '../support/temporal.js';
import { fakeDelivery, type Delivery, type FakeDelivery } from './fake-delivery.js';
import { fakeLandfall, gate, type FakeLandfall } from './fake-landfall.js';

const hour = 3_600_000;
const reason = { reason: 'because the test says so' };

describe('the workflow of an Optimizely day', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;

  // A server each: one whose activity was cancelled while it ran never moves its clock again.
  beforeEach(async () => {
    environment = await timeSkipping();
    landfall = fakeLandfall(() => environment);
  });
  afterEach(() => environment.teardown());

  const deliver = (...of: Parameters<FakeDelivery>): Promise<DeliveryResult> =>
    fakeDelivery(environment, landfall)(...of);

  const status = (delivery: Delivery): Promise<DeliveryStatus> => delivery.query<DeliveryStatus>('status');
  const called = async (call: string): Promise<void> => {
    await eventually(() => landfall.calls.includes(call), { timeoutMs: 10_000 });
  };

  /** Batches are staged side by side, and begin in any order. */
  const inOrder = (): string[] => {
    const stages = landfall.calls.filter((call) => call.startsWith('stage')).sort();
    return landfall.calls.map((call) => (call.startsWith('stage') ? (stages.shift() ?? '') : call));
  };

  describe('waiting for _SUCCESS', () => {
    it('loads as soon as the marker is seen', async () => {
      const result = await deliver();
      assert.equal(result.finality, 'final');
      assert.deepEqual(inOrder(), ['look', 'plan', 'stage 0', 'stage 1', 'publish']);
      assert.deepEqual(result.counts, {
        files: 2,
        bytes: 10,
        parsed: 200,
        loaded: 198,
        quarantined: 2,
        duplicate: 0,
      });
    });

    it('takes a marker that comes after 26 hours', async () => {
      const start = await environment.currentTimeMs();
      landfall.marker = (now) => now - start >= 26 * hour;
      let waited = 0;
      landfall.during.plan = async () => {
        waited = (await environment.currentTimeMs()) - start;
      };
      assert.equal((await deliver()).finality, 'final');
      assert.ok(waited >= 26 * hour && waited < 30.5 * hour, `waited ${waited / hour} hours`);
    });

    it('gives up visibly when it never comes, in under 500 events', async () => {
      landfall.marker = () => false;
      let delivery: Delivery | undefined;
      const result = await deliver(async (started) => {
        delivery = started;
        return Promise.resolve();
      });
      assert.equal(result.finality, 'failed');
      assert.match(result.reason, /_SUCCESS was awaited until .* and did not come/);
      assert.equal(landfall.ledger.finality, 'failed');
      const events = (await delivery!.fetchHistory()).events ?? [];
      assert.ok(events.length < 500, `${events.length} events`);
      assert.ok(!landfall.calls.includes('plan'), 'nothing was staged');
    });

    it('looks a last time at the deadline', async () => {
      const start = await environment.currentTimeMs();
      landfall.marker = (now) => now - start >= 72 * hour - 1;
      assert.equal((await deliver()).finality, 'final');
    });

    it('answers the status query with what it waits for', async () => {
      landfall.marker = () => false;
      await deliver(async (delivery) => {
        await eventually(async () => (await status(delivery)).next.includes('next look'), {
          timeoutMs: 10_000,
        });
        const now = await status(delivery);
        assert.equal(now.finality, 'waiting');
        assert.equal(now.paused, false);
        await delivery.signal('skip', reason);
      });
    });
  });

  describe('signals while it waits', () => {
    beforeEach(() => {
      landfall.marker = () => false;
    });

    it('accept loads without the marker', async () => {
      const result = await deliver(async (delivery) => {
        await called('look');
        await delivery.signal('accept', reason);
      });
      assert.equal(result.finality, 'final');
      assert.ok(landfall.calls.includes('plan without marker'));
    });

    it('skip ends it and leaves everything as it is', async () => {
      const result = await deliver(async (delivery) => {
        await called('look');
        await delivery.signal('skip', reason);
      });
      assert.deepEqual([result.finality, result.reason], ['skipped', reason.reason]);
    });

    it('discard ends it and takes its rows away', async () => {
      const result = await deliver(async (delivery) => {
        await called('look');
        await delivery.signal('discard', reason);
      });
      assert.equal(result.finality, 'discarded');
      assert.ok(landfall.calls.includes('discard'));
    });

    it('reprocess looks again at once and goes on waiting', async () => {
      await deliver(async (delivery) => {
        await called('look');
        await delivery.signal('reprocess', reason);
        await eventually(() => landfall.calls.filter((call) => call === 'look').length === 2, {
          timeoutMs: 10_000,
        });
        assert.equal((await status(delivery)).finality, 'waiting');
        await delivery.signal('skip', reason);
      });
    });

    it('pause holds it over days, past its deadline; resume looks once more', async () => {
      const start = await environment.currentTimeMs();
      const result = await deliver(async (delivery) => {
        await called('look');
        await delivery.signal('pause', reason);
        await eventually(async () => (await status(delivery)).paused, { timeoutMs: 10_000 });
        const looks = landfall.calls.length;
        await environment.sleep('5 days');
        assert.equal(landfall.calls.length, looks, 'it does nothing while paused');
        landfall.marker = () => true;
        await delivery.signal('resume', reason);
      });
      assert.equal(result.finality, 'final');
      assert.ok((await environment.currentTimeMs()) - start >= 120 * hour);
    });

    it('a paused delivery can still be discarded', async () => {
      const result = await deliver(async (delivery) => {
        await delivery.signal('pause', reason);
        await eventually(async () => (await status(delivery)).paused, { timeoutMs: 10_000 });
        await delivery.signal('discard', reason);
      });
      assert.equal(result.finality, 'discarded');
    });

    it('writes every signal and its reason into the ledger, also a bare string or nothing', async () => {
      await deliver(async (delivery) => {
        await called('look');
        await delivery.signal('pause', 'as the Web UI may send it');
        await delivery.signal('resume');
        await delivery.signal('skip', reason);
      });
      const signals = landfall.changes.filter((change) => change.kind.startsWith('signal:'));
      assert.deepEqual(
        signals.map(({ kind, reason: why }) => [kind, why]),
        [
          ['signal:pause', 'as the Web UI may send it'],
          ['signal:resume', 'No reason given.'],
          ['signal:skip', reason.reason],
        ],
      );
      assert.equal(new Set(landfall.changes.map((change) => change.request)).size, landfall.changes.length);
    });
  });

  describe('signals while it loads', () => {
    /** Sends a signal while the first batch is being staged, then lets the batch end. */
    const whileStaging = (signal: DeliverySignal, then?: (delivery: Delivery) => Promise<void>) => {
      const staged = gate();
      landfall.during.stage = (call) => (call <= 2 ? staged.passed : undefined);
      return deliver(async (delivery) => {
        await called('stage 1');
        await delivery.signal(signal, reason);
        await eventually(() => landfall.changes.some((change) => change.kind === `signal:${signal}`), {
          timeoutMs: 10_000,
        });
        staged.open();
        await then?.(delivery);
      });
    };

    it('reprocess begins a new load in its place', async () => {
      assert.equal((await whileStaging('reprocess')).finality, 'final');
      assert.equal(landfall.calls.filter((call) => call === 'plan force').length, 1);
      assert.equal(landfall.calls.filter((call) => call === 'publish').length, 1);
    });

    it('accept changes nothing', async () => {
      assert.equal((await whileStaging('accept')).finality, 'final');
      assert.deepEqual(inOrder(), ['look', 'plan', 'stage 0', 'stage 1', 'publish']);
    });

    it('skip drops what was staged', async () => {
      assert.equal((await whileStaging('skip')).finality, 'skipped');
      assert.ok(landfall.calls.includes('abandon') && !landfall.calls.includes('publish'));
    });

    it('discard drops what was staged and published', async () => {
      assert.equal((await whileStaging('discard')).finality, 'discarded');
      assert.ok(!landfall.calls.includes('publish'));
    });

    it('pause lets batches under way end and starts none, for days; resume goes on with the next', async () => {
      landfall.batches = 4;
      const result = await whileStaging('pause', async (delivery) => {
        await eventually(async () => (await status(delivery)).counts?.files === 2, { timeoutMs: 10_000 });
        await environment.sleep('3 days');
        assert.deepEqual(inOrder(), ['look', 'plan', 'stage 0', 'stage 1']);
        await delivery.signal('resume', reason);
      });
      assert.equal(result.finality, 'final');
      assert.equal(landfall.calls.filter((call) => call.startsWith('stage')).length, 4);
    });

    it('resume without pause changes nothing', async () => {
      assert.equal((await whileStaging('resume')).finality, 'final');
      assert.equal(landfall.calls.length, 5);
    });
  });

  describe('signals while it publishes', () => {
    const whilePublishing = (signal: DeliverySignal) => {
      const published = gate();
      landfall.during.publish = (call) => (call === 1 ? published.passed : undefined);
      return deliver(async (delivery) => {
        await called('publish');
        await delivery.signal(signal, reason);
        await eventually(() => landfall.changes.some((change) => change.kind === `signal:${signal}`), {
          timeoutMs: 10_000,
        });
        published.open();
      });
    };

    for (const [signal, finality, publishes] of [
      ['reprocess', 'final', 2],
      ['accept', 'final', 1],
      ['skip', 'final', 1],
      ['discard', 'discarded', 1],
      ['resume', 'final', 1],
    ] as const) {
      it(`${signal}: the transaction ends first, then it is ${finality}`, async () => {
        assert.equal((await whilePublishing(signal)).finality, finality);
        assert.equal(landfall.calls.filter((call) => call === 'publish').length, publishes);
      });
    }
  });

  describe('signals to a closed delivery start it again', () => {
    beforeEach(() => {
      landfall.ledger = { finality: 'final', published: true };
    });

    it('reprocess loads a final day again', async () => {
      const result = await deliver(undefined, {}, ['reprocess']);
      assert.equal(result.finality, 'final');
      assert.ok(landfall.calls.includes('plan force') && landfall.calls.includes('publish'));
    });

    it('discard takes a final day away', async () => {
      assert.equal((await deliver(undefined, {}, ['discard'])).finality, 'discarded');
      assert.ok(!landfall.calls.includes('plan'));
    });

    it('skip and accept leave a final day as it is', async () => {
      assert.equal((await deliver(undefined, {}, ['skip'])).finality, 'final');
      assert.equal((await deliver(undefined, {}, ['accept'])).finality, 'final');
      assert.ok(!landfall.calls.includes('publish'));
    });

    it('a start without a wish loads nothing', async () => {
      assert.equal((await deliver()).finality, 'final');
      assert.deepEqual(landfall.calls, ['look']);
    });

    it('accept takes up a day that was given up', async () => {
      landfall.marker = () => false;
      landfall.ledger = { finality: 'failed', published: false };
      const deadline = (await environment.currentTimeMs()) - 1;
      assert.equal((await deliver(undefined, { deadline }, ['accept'])).finality, 'final');
    });

    it('reprocess of a day whose files are gone keeps its rows', async () => {
      landfall.marker = () => false;
      const deadline = (await environment.currentTimeMs()) - 1;
      const result = await deliver(undefined, { deadline }, ['reprocess']);
      assert.equal(result.finality, 'failed');
      assert.deepEqual(landfall.ledger, { finality: 'final', published: true });
    });
  });

  describe('faults', () => {
    // Where the first of two batches fails the second is cancelled, and then the clock stands still.
    const oneAtATime = { inFlight: 1 };

    const failing = (type: string, nonRetryable = true) =>
      ApplicationFailure.create({ type, message: `a ${type}`, nonRetryable });

    it('plans again when a part vanished or changed after the listing', async () => {
      landfall.during.stage = (call) => {
        if (call === 1) throw failing(failureTypes.fileChanged);
      };
      assert.equal((await deliver(undefined, oneAtATime)).finality, 'final');
      assert.equal(landfall.calls.filter((call) => call === 'plan').length, 2);
    });

    it('plans again when staging was lost before publish', async () => {
      landfall.during.publish = (call) => {
        if (call === 1) throw failing(failureTypes.stagingLost);
      };
      assert.equal((await deliver()).finality, 'final');
      assert.equal(landfall.calls.filter((call) => call === 'publish').length, 2);
    });

    it('waits for an unreadable file to be written anew', async () => {
      const start = await environment.currentTimeMs();
      landfall.during.stage = async () => {
        if ((await environment.currentTimeMs()) - start < 5 * hour)
          throw failing(failureTypes.fileUnreadable);
      };
      assert.equal((await deliver(undefined, oneAtATime)).finality, 'final');
    });

    it('fails when it stays unreadable past the deadline', async () => {
      landfall.during.stage = () => {
        throw failing(failureTypes.fileUnreadable);
      };
      await assert.rejects(deliver(undefined, oneAtATime), (error: unknown) =>
        isFailed(error, failureTypes.fileUnreadable),
      );
      assert.equal(landfall.ledger.finality, 'failed');
    });

    for (const type of [failureTypes.accessDenied, failureTypes.configInvalid, failureTypes.tooManyBadRows]) {
      it(`does not retry ${type}: the workflow fails, the ledger says why`, async () => {
        landfall.during.plan = () => {
          throw failing(type);
        };
        await assert.rejects(deliver(), (error: unknown) => isFailed(error, type));
        assert.equal(landfall.calls.filter((call) => call.startsWith('plan')).length, 1);
        assert.equal(landfall.changes.at(-1)?.reason, `a ${type}`);
        assert.ok(landfall.calls.includes('abandon'), 'staging is dropped');
      });
    }

    it('retries passing faults until they pass', async () => {
      landfall.during.look = (call) => {
        if (call <= 5) throw failing(failureTypes.storeUnavailable, false);
      };
      assert.equal((await deliver()).finality, 'final');
    });

    it('a cancelled workflow leaves the day open, and says so in the ledger before it ends', async () => {
      landfall.marker = () => false;
      await assert.rejects(
        deliver(async (delivery) => {
          await eventually(async () => (await status(delivery)).next.includes('next look'), {
            timeoutMs: 10_000,
          });
          await delivery.cancel();
        }),
        WorkflowFailedError,
      );
      const { kind, finality, unlessSettled, reason: why } = landfall.changes.at(-1)!;
      assert.deepEqual([kind, finality, unlessSettled], ['cancelled', 'waiting', true]);
      assert.match(why, /^Its workflow was cancelled\. .* `landfall reprocess` starts it again/);
      assert.ok(!landfall.calls.includes('abandon'), 'what is staged stays');
    });
  });
});

function isFailed(error: unknown, type: string): boolean {
  return (
    error instanceof WorkflowFailedError &&
    error.cause instanceof ApplicationFailure &&
    error.cause.type === type
  );
}
