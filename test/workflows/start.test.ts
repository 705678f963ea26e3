import assert from 'node:assert/strict';

import { Worker } from '@temporalio/worker';

import type { DeliveryStart } from '../../config/delivery-start.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/temporal.js';
import { bundleWorkflows } from './bundle.js';
import { resultOf } from './observe.js';

describe('a delivery that a workflow has started', function () {
  this.timeout(60_000);

  it('is not cancelled with it', async () => {
    const { environment } = await devServer();
    const { client, nativeConnection: connection } = environment;
    const taskQueue = `start-${process.pid}`;
    const id = `${taskQueue}/events/2026-03-01`;
    const start = {
      workflowType: 'started',
      workflowId: id,
      input: { id, source: taskQueue, vendor: 'optimizely', type: 'events', date: '2026-03-01' },
      staticSummary: 'a day',
      staticDetails: 'a day',
    } as DeliveryStart;
    const workflowBundle = await bundleWorkflows(new URL('./start-workflow.ts', import.meta.url));
    const worker = await Worker.create({ connection, taskQueue, workflowBundle });
    await worker.runUntil(async () => {
      const parent = await client.workflow.start('starter', {
        ...{ workflowId: `${taskQueue}/starter`, taskQueue, args: [start] },
        workflowExecutionTimeout: '10 minutes',
      });
      const is = (state: string) => async (): Promise<boolean> => (await parent.query('state')) === state;
      await eventually(is('started'), { timeoutMs: 20_000 });
      await parent.cancel();
      await eventually(is('cancelled'), { timeoutMs: 20_000 });
      await parent.signal('end');
      await assert.rejects(resultOf(parent), /cancelled/i);
      const { events = [] } = await parent.fetchHistory();
      const passedOn = events?.flatMap(
        (event) =>
          event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes?.workflowExecution
            ?.workflowId ?? [],
      );
      assert.deepEqual(passedOn, []);
      const child = client.workflow.getHandle(id);
      await child.signal('end');
      assert.equal(await resultOf(child), 'it went on');
    });
  });
});
