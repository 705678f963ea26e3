import assert from 'node:assert/strict';

import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import type { DeliveryStatus } from '../../model/control.js';
import { failureTypes } from '../../model/failure.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/temporal.js';
import { fakeDelivery, type Delivery, type FakeDelivery } from './fake-delivery.js';
import { fakeLandfall, gate, type FakeLandfall } from './fake-landfall.js';
import { currentDetails } from './observe.js';

const reason = { reason: 'because the test says so' };

describe('what is asked of a delivery', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;

  beforeEach(async () => {
    ({ environment } = await devServer());
    landfall = fakeLandfall(() => environment);
  });

  const deliver: FakeDelivery = (...of) => fakeDelivery(environment, landfall)(...of);
  const status = (delivery: Delivery): Promise<DeliveryStatus> => delivery.query<DeliveryStatus>('status');
  const called = (call: string) => eventually(() => landfall.calls.includes(call), { timeoutMs: 20_000 });
  const refusal = (type: string) => ApplicationFailure.nonRetryable(`a ${type}`, type);
  const signalsOf = () => landfall.changes.filter(({ kind }) => kind.startsWith('signal:'));

  it('breaks off a look at a store that does not answer', async () => {
    const answers = gate();
    landfall.during.look = () => answers.passed;
    const result = await deliver(async (delivery) => {
      await called('look');
      await delivery.signal('discard', reason);
      await called('discard');
      answers.open();
    });
    assert.equal(result.finality, 'discarded');
  });

  it('is done though the step under way is refused for good', async () => {
    const refused = gate();
    landfall.during.look = async () => {
      await refused.passed;
      throw refusal(failureTypes.accessDenied);
    };
    const result = await deliver(async (delivery) => {
      await called('look');
      await delivery.signal('discard', reason);
      refused.open();
    });
    assert.equal(result.finality, 'discarded');
    assert.ok(!landfall.changes.some(({ finality }) => finality === 'failed'));
  });

  it('is done when it comes while the delivery fails', async () => {
    const dropped = gate();
    landfall.during.plan = (call) => {
      if (call === 1) throw refusal(failureTypes.configInvalid);
    };
    landfall.during.abandon = () => dropped.passed;
    const result = await deliver(async (delivery) => {
      await called('abandon');
      await delivery.signal('reprocess', reason);
      await eventually(() => signalsOf().length === 1, { timeoutMs: 20_000 });
      dropped.open();
    });
    assert.equal(result.finality, 'final');
    assert.ok(landfall.calls.includes('plan force'));
  });

  it('is refused with the reason for which the delivery failed', async () => {
    landfall.during.plan = () => {
      throw refusal(failureTypes.tooManyBadRows);
    };
    await assert.rejects(deliver(undefined, {}, ['reprocess']), WorkflowFailedError);
    const failed = landfall.changes.at(-1)!;
    assert.deepEqual([failed.kind, failed.reason], ['failed', 'a TooManyBadRows']);
    assert.deepEqual(failed.answers, [signalsOf()[0]?.request]);
  });

  it('is refused when it cannot be done itself', async () => {
    landfall.ledger = { finality: 'final', published: true };
    landfall.during.discard = () => {
      throw refusal(failureTypes.accessDenied);
    };
    await assert.rejects(deliver(undefined, {}, ['discard']), WorkflowFailedError);
    assert.deepEqual(landfall.changes.at(-1)?.answers, [signalsOf()[0]?.request]);
    assert.deepEqual(landfall.ledger, { finality: 'final', published: true });
  });

  it('is in the ledger before it is done, and is answered by the step that does it', async () => {
    landfall.ledger = { finality: 'final', published: true };
    landfall.during.plan = () => {
      assert.deepEqual(signalsOf()[0]?.wish?.wish, 'reprocess');
    };
    await deliver(undefined, {}, ['reprocess']);
    assert.ok(landfall.calls.includes('publish'));
  });

  it('is taken up where an earlier run was ended by force', async () => {
    landfall.ledger = {
      ...{ finality: 'final', published: true, paused: true },
      wish: { wish: 'discard', reason: 'a request by law', request: 'of the earlier run' },
    };
    const result = await deliver();
    assert.deepEqual([result.finality, result.reason], ['discarded', 'a request by law']);
    assert.ok(!landfall.calls.includes('look'));
  });

  it('stays paused where an earlier run was ended by force, until it is resumed', async () => {
    landfall.ledger = { finality: 'waiting', published: false, paused: true };
    const result = await deliver(async (delivery) => {
      await eventually(async () => (await status(delivery)).paused, { timeoutMs: 20_000 });
      assert.deepEqual(landfall.calls, []);
      await delivery.signal('resume', reason);
    });
    assert.equal(result.finality, 'final');
  });

  it('leaves no pause behind when it comes to rest', async () => {
    const published = gate();
    landfall.during.publish = () => published.passed;
    await deliver(async (delivery) => {
      await called('publish');
      await delivery.signal('pause', reason);
      await eventually(() => signalsOf().length === 1, { timeoutMs: 20_000 });
      published.open();
    });
    const { kind, paused, reason: why } = landfall.changes.at(-1)!;
    assert.deepEqual([kind, paused], ['answered', false]);
    assert.match(why, /^It is final, so there is nothing left to pause\./);
  });

  it('is a discard still when a skip comes after it', async () => {
    landfall.marker = () => false;
    assert.equal((await deliver(undefined, {}, ['discard', 'skip'])).finality, 'discarded');
  });

  for (const signals of [['reprocess'], ['skip', 'reprocess'], ['discard', 'accept']] as const) {
    it(`is the last of ${signals.join(', ')}`, async () => {
      assert.equal((await deliver(undefined, {}, signals)).finality, 'final');
    });
  }

  it('is written down by a workflow that is cancelled at once', async () => {
    landfall.ledger = { finality: 'final', published: true };
    await assert.rejects(
      deliver(
        async (delivery) => {
          await delivery.cancel();
        },
        {},
        ['reprocess'],
      ),
      WorkflowFailedError,
    );
    const [signal] = signalsOf();
    const cancelled = landfall.changes.find(({ kind }) => kind === 'cancelled');
    assert.deepEqual([signal?.kind, signal?.wish?.wish], ['signal:reprocess', 'reprocess']);
    assert.deepEqual([cancelled?.kind, cancelled?.answers], ['cancelled', undefined]);
    assert.deepEqual(landfall.ledger, { finality: 'final', published: true });
  });

  it('is shown until it is done', async () => {
    landfall.marker = () => false;
    await deliver(async (delivery) => {
      await called('look');
      await delivery.signal('reprocess', reason);
      await eventually(async () => (await status(delivery)).wish !== undefined, { timeoutMs: 20_000 });
      assert.equal((await status(delivery)).wish, `reprocess (${reason.reason})`);
      assert.match(await currentDetails(delivery), /Asked for \| reprocess, not done yet \(because the test/);
      await delivery.signal('skip', reason);
    });
  });

  it('is answered and noted where nobody knows such a signal', async () => {
    landfall.marker = () => false;
    await deliver(async (delivery) => {
      await called('look');
      await delivery.signal('reproces', reason);
      await eventually(() => signalsOf().length === 1, { timeoutMs: 20_000 });
      const { kind, reason: answer, wish } = signalsOf()[0]!;
      assert.deepEqual([kind, wish], ['signal:reproces', undefined]);
      assert.match(
        answer,
        /^There is no signal 'reproces'; did you mean 'reprocess'\? Nothing was done about it/,
      );
      assert.match(await currentDetails(delivery), /Answer \| There is no signal 'reproces'/);
      await delivery.signal('skip', reason);
    });
    assert.ok(!landfall.calls.includes('plan force'));
  });
});
