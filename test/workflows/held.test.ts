import assert from 'node:assert/strict';

import { ApplicationFailure } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import type { DeliveryResult, DeliverySignal, DeliveryStatus } from '../../model/control.js';
import { failureTypes } from '../../model/failure.js';
import type { HeldVersion } from '../../warehouse/ledger-delivery.js';
import { eventually } from '../support/eventually.js';
import { timeSkipping } from '../support/temporal.js';
import { fakeDelivery, type Delivery, type FakeDay } from './fake-delivery.js';
import { fakeLandfall, type FakeLandfall } from './fake-landfall.js';

const hour = 3_600_000;
const reason = { reason: 'the vendor removed a bot' };
const why = 'It has 10 rows, where readers see 100.';

const megaphoneDay: FakeDay = {
  name: '2026-03-01',
  input: (now) => ({
    ...{ vendor: 'megaphone', type: 'metrics', date: '2026-03-01' },
    ...{ deadline: now + 48 * hour, pollEvery: hour / 4, closesAt: now - hour, settleFor: hour },
  }),
  reason: reason.reason,
};

describe('a version that is held for a person', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;
  /** Versions of the day's file that have lost too many rows. */
  let shrunk: ReadonlySet<string>;
  /** What lies there. */
  let version: string;

  beforeEach(async () => {
    environment = await timeSkipping();
    landfall = fakeLandfall(() => environment);
    landfall.ledger = { finality: 'provisional', published: true, version: 'v1' };
    shrunk = new Set(['v2']);
    version = 'v2';
    landfall.marker = () => version;
    // Loads are counted where something happens while they are planned.
    landfall.during.plan = () => undefined;
    // What the ledger does: a load is held unless it is accepted.
    landfall.during.publish = () => {
      const step = landfall.publishes.at(-1);
      const planned = landfall.plans.at(-1)?.marker?.version ?? '';
      if (!step || step.accepted !== undefined || !shrunk.has(planned)) return;
      landfall.ledger = { ...landfall.ledger, held: heldAs(planned, step.loadId) };
      throw ApplicationFailure.nonRetryable(why, failureTypes.heldForReview);
    };
  });
  afterEach(() => environment.teardown());

  const heldAs = (marker: string, loadId: string): HeldVersion => ({
    ...{ loadId, since: 0, why, version: marker, fingerprint: marker },
    ...{ finality: 'final', reason: `${marker} is there.` },
  });

  /** Runs a Megaphone day whose vendor's hour has passed, from a start or a signal on. */
  const deliver = (
    act?: (delivery: Delivery) => Promise<void>,
    signals: readonly DeliverySignal[] = [],
  ): Promise<DeliveryResult> => fakeDelivery(environment, landfall, megaphoneDay)(act, {}, signals);

  const isHeld = (delivery: Delivery): Promise<unknown> =>
    eventually(async () => (await delivery.query<DeliveryStatus>('status')).next === why, {
      timeoutMs: 10_000,
    });
  const times = (call: string): number => landfall.calls.filter((made) => made === call).length;

  it('is looked past for days, without being loaded again, until it is accepted', async () => {
    const result = await deliver(async (delivery) => {
      await isHeld(delivery);
      await environment.sleep('3 days');
      assert.equal((await delivery.query<DeliveryStatus>('status')).finality, 'provisional');
      assert.ok(times('look') > 15, 'another version would be seen');
      assert.deepEqual([times('plan'), times('publish')], [1, 1]);
      await delivery.signal('accept', reason);
    });
    assert.equal(result.finality, 'final');
    const [, accepted] = landfall.publishes;
    assert.deepEqual(
      [accepted?.loadId, accepted?.accepted, accepted?.finality],
      ['1', reason.reason, 'final'],
    );
    assert.match(
      accepted?.reason ?? '',
      /^v2 is there\. It was held .* somebody accepted it: the vendor removed a bot$/,
    );
    assert.equal(times('plan'), 1, 'what was staged is published');
  });

  it('accept is carried out when it starts the workflow again', async () => {
    landfall.ledger = { ...landfall.ledger, held: heldAs('v2', '7') };
    const result = await deliver(undefined, ['accept']);
    assert.equal(result.finality, 'final');
    assert.deepEqual(landfall.calls.slice(0, 1), ['publish']);
    assert.equal(landfall.publishes[0]?.loadId, '7');
  });

  it('is found again by a run that knows nothing of it', async () => {
    landfall.ledger = { ...landfall.ledger, held: heldAs('v2', '7') };
    await deliver(async (delivery) => {
      await isHeld(delivery);
      assert.equal(times('plan'), 0);
      await delivery.signal('accept', reason);
    });
    assert.equal(landfall.publishes[0]?.loadId, '7');
  });

  it('an accept from before it was held accepts nothing', async () => {
    await deliver(
      async (delivery) => {
        await isHeld(delivery);
        await environment.sleep('1 day');
        assert.equal(times('publish'), 1);
        await delivery.signal('accept', reason);
      },
      ['accept'],
    );
    assert.equal(times('publish'), 2);
    const [asked] = landfall.changes.filter(({ kind }) => kind === 'signal:accept');
    assert.deepEqual(landfall.publishes[0]?.answers, [asked?.request]);
  });

  it('an accept from while it was published is refused with a reason', async () => {
    const hold = landfall.during.publish;
    let delivery: Delivery | undefined;
    landfall.during.publish = async (call) => {
      if (call === 1) await delivery?.signal('accept', { reason: 'before anybody knew' });
      return hold?.(call);
    };
    await deliver(async (started) => {
      delivery = started;
      await isHeld(started);
      await environment.sleep('1 day');
      assert.equal(times('publish'), 1);
      await started.signal('accept', reason);
    });
    const early = landfall.changes.find(({ reason: why }) => why === 'before anybody knew');
    const refused = landfall.changes.find(({ kind }) => kind === 'answered');
    assert.deepEqual(refused?.answers, [early?.request]);
    assert.match(refused.reason, /^It was accepted before a version was held\./);
    assert.equal(landfall.publishes[1]?.accepted, reason.reason);
  });

  it('is looked at again when that is asked for after an accept', async () => {
    const of = { reason: 'by an earlier run', request: 'earlier/2' };
    const wish = { wish: 'accept and reprocess', ...of };
    landfall.ledger = { ...landfall.ledger, held: heldAs('v2', '7'), wish };
    await deliver(async (delivery) => {
      await isHeld(delivery);
      await delivery.signal('skip', reason);
    });
    assert.deepEqual([times('plan force'), times('publish')], [1, 1]);
    assert.equal(landfall.publishes[0]?.accepted, undefined);
  });

  it('gives way to a version that is whole, which is published by itself', async () => {
    const result = await deliver(async (delivery) => {
      await isHeld(delivery);
      version = 'v3';
    });
    assert.equal(result.finality, 'final');
    assert.deepEqual(
      landfall.publishes.map(({ accepted }) => accepted),
      [undefined, undefined],
    );
    assert.equal(landfall.ledger.version, 'v3');
  });

  it('gives way to one that is even smaller, which is held in its turn', async () => {
    shrunk = new Set(['v2', 'v3']);
    await deliver(async (delivery) => {
      await isHeld(delivery);
      version = 'v3';
      await environment.sleep('1 day');
      await eventually(() => landfall.ledger.held?.version === 'v3', { timeoutMs: 20_000 });
      await isHeld(delivery);
      await delivery.signal('accept', reason);
    });
    assert.deepEqual(
      landfall.publishes.map(({ loadId, accepted }) => [loadId, accepted]),
      [
        ['1', undefined],
        ['2', undefined],
        ['2', reason.reason],
      ],
    );
  });

  it('is given up when the version before lies there again', async () => {
    await deliver(async (delivery) => {
      await isHeld(delivery);
      version = 'v1';
    });
    assert.ok(landfall.calls.includes('abandon'));
    assert.equal(landfall.ledger.version, 'v1');
    assert.equal(times('publish'), 1);
  });

  it('reprocess looks again, and it is held anew', async () => {
    await deliver(async (delivery) => {
      await isHeld(delivery);
      await delivery.signal('reprocess', reason);
      await eventually(() => times('publish') === 2, { timeoutMs: 10_000 });
      await isHeld(delivery);
      await delivery.signal('skip', reason);
    });
    assert.deepEqual([times('plan'), times('plan force')], [1, 1]);
  });

  for (const [signal, finality, call] of [
    ['skip', 'skipped', 'abandon'],
    ['discard', 'discarded', 'discard'],
  ] as const) {
    it(`${signal} ends it`, async () => {
      const result = await deliver(async (delivery) => {
        await isHeld(delivery);
        await delivery.signal(signal, reason);
      });
      assert.equal(result.finality, finality);
      assert.ok(landfall.calls.includes(call));
    });
  }

  it('is loaded again when its staging is lost, and published since it is accepted', async () => {
    let lost = false;
    const hold = landfall.during.publish;
    landfall.during.publish = async (call) => {
      if (landfall.publishes.at(-1)?.accepted === undefined) return hold?.(call);
      lost = true;
      // The ledger keeps that these files are accepted.
      shrunk = new Set();
      landfall.ledger = { finality: 'provisional', published: true, version: 'v1' };
      throw ApplicationFailure.nonRetryable('gone', failureTypes.stagingLost);
    };
    const result = await deliver(async (delivery) => {
      await isHeld(delivery);
      await delivery.signal('accept', reason);
    });
    assert.ok(lost);
    assert.equal(result.finality, 'final');
    assert.equal(landfall.ledger.version, 'v2');
  });
});
