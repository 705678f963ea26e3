import assert from 'node:assert/strict';

import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { failureTypes } from '../../model/failure.js';
import { workflowBundle } from '../support/landfall.js';
import { timeSkipping } from '../support/temporal.js';
import { fakeLandfall, type FakeLandfall } from './fake-landfall.js';

describe('the workflow of a Dynatrace batch', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;
  let batches = 0;

  before(async () => {
    environment = await timeSkipping();
  });
  after(() => environment.teardown());
  beforeEach(() => {
    landfall = fakeLandfall(() => environment);
  });

  async function live(signal?: string): Promise<DeliveryResult> {
    const taskQueue = `dynatrace-${++batches}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: landfall.activities,
    });
    const id = `rum/2026-11-20/${batches}`;
    const input: DeliveryInput = {
      ...{ id, source: 'rum', vendor: 'dynatrace', type: 'sessions', date: '2026-11-20' },
      // The day has not ended.
      ...{ deadline: (await environment.currentTimeMs()) + 86_400_000, pollEvery: 60_000 },
      ...{ inFlight: 2, heartbeatTimeout: 20_000 },
    };
    const options = {
      taskQueue,
      workflowId: id,
      workflowExecutionTimeout: '60 days',
      args: [input],
    } as const;
    const { workflow } = environment.client;
    const handle =
      signal === undefined
        ? await workflow.start('dynatrace', options)
        : await workflow.signalWithStart('dynatrace', {
            ...options,
            signal,
            signalArgs: [{ reason: 'why' }],
          });
    return (await worker.runUntil(() => handle.result())) as DeliveryResult;
  }

  it('loads it at once, and it is final', async () => {
    const { finality } = await live();
    assert.equal(finality, 'final');
    assert.deepEqual(
      landfall.calls.map((call) => call.split(' ')[0]),
      ['look', 'plan', 'stage', 'stage', 'publish'],
    );
  });

  it('leaves alone what is final', async () => {
    landfall.ledger = { finality: 'final', published: true };
    assert.equal((await live()).finality, 'final');
    assert.deepEqual(landfall.calls, ['look']);
  });

  it('loads a final one again when asked to, as long as its bodies are there', async () => {
    landfall.ledger = { finality: 'final', published: true };
    await live('reprocess');
    assert.ok(landfall.calls.includes('plan force'));
    landfall.calls.length = 0;
    landfall.marker = () => false;
    const { finality } = await live('reprocess');
    assert.equal(finality, 'final');
    assert.deepEqual(landfall.calls, ['look'], 'what readers see stays');
  });

  it('fails without bodies where nothing was published, and waits for none', async () => {
    landfall.marker = () => false;
    const { finality } = await live();
    assert.equal(finality, 'failed');
    assert.deepEqual(landfall.calls, ['look', 'abandon']);
  });

  it('fails at once where a body cannot be read, for nobody sends it anew', async () => {
    landfall.batches = 1;
    landfall.during.stage = () => {
      throw ApplicationFailure.nonRetryable('Body 7 is damaged.', failureTypes.fileUnreadable);
    };
    await assert.rejects(live(), (error: Error) => String(error.cause).includes('damaged'));
    assert.equal(landfall.changes.at(-1)?.finality, 'failed');
    assert.deepEqual(landfall.calls, ['look', 'plan', 'stage 0', 'abandon'], 'tried once');
  });
});
