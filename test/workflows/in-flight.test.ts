import assert from 'node:assert/strict';

import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import { timeSkipping } from '../support/temporal.js';
import { bundleWorkflows } from './bundle.js';
import type { Lanes, Run } from './in-flight-workflow.js';

const cases: readonly (readonly [name: string, given: Lanes, expected: Run])[] = [
  [
    'takes all, in order, no more than the limit at a time',
    { first: 0, end: 5, limit: 2 },
    { next: 5, started: [0, 1, 2, 3, 4], ended: [0, 1, 2, 3, 4], cancelled: [], most: 2, took: 3 },
  ],
  [
    'lets a slow one hold up no other',
    { first: 0, end: 5, limit: 2, hours: { 0: 10 } },
    { next: 5, started: [0, 1, 2, 3, 4], ended: [0, 1, 2, 3, 4], cancelled: [], most: 2, took: 10 },
  ],
  [
    'begins where an earlier run stopped',
    { first: 3, end: 5, limit: 8 },
    { next: 5, started: [3, 4], ended: [3, 4], cancelled: [], most: 2, took: 1 },
  ],
  [
    'has nothing to do when all is done',
    { first: 5, end: 5, limit: 2 },
    { next: 5, started: [], ended: [], cancelled: [], most: 0, took: 0 },
  ],
  [
    'starts nothing while it is held up, and goes on afterwards',
    { first: 0, end: 4, limit: 2, pause: [1, 72] },
    { next: 4, started: [0, 1, 2, 3], ended: [0, 1, 2, 3], cancelled: [], most: 2, took: 73 },
  ],
  [
    'ends early when it may start no more, and lets what is under way end',
    { first: 0, end: 9, limit: 2, hours: { 2: 5 }, closes: 2 },
    { next: 4, started: [0, 1, 2, 3], ended: [0, 1, 2, 3], cancelled: [], most: 2, took: 6 },
  ],
  [
    'stops the others at the first error, starts no more, and throws it when they have ended',
    { first: 0, end: 9, limit: 3, hours: { 0: 2, 1: 4, 2: 9 }, failing: [0] },
    { error: '0 failed', started: [0, 1, 2], ended: [], cancelled: [1, 2], most: 3, took: 2 },
  ],
  [
    'throws the first of two errors',
    { first: 0, end: 9, limit: 2, hours: { 0: 2 }, failing: [0, 1] },
    { error: '1 failed', started: [0, 1], ended: [], cancelled: [0], most: 2, took: 1 },
  ],
  [
    'stops when it is cancelled, also while it is held up',
    { first: 0, end: 9, limit: 3, hours: { 0: 9 }, pause: [1, 72], cancelled: 3 },
    { error: 'cancelled', started: [0, 1, 2], ended: [1, 2], cancelled: [0], most: 3, took: 3 },
  ],
];

describe('inFlight', function () {
  this.timeout(30_000);
  let environment: TestWorkflowEnvironment;
  let worker: Worker;
  let stopped: Promise<void>;

  before(async () => {
    environment = await timeSkipping();
    worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: 'in-flight',
      workflowBundle: await bundleWorkflows(new URL('./in-flight-workflow.ts', import.meta.url)),
    });
    stopped = worker.run();
  });
  after(async () => {
    worker.shutdown();
    await stopped;
    await environment.teardown();
  });

  for (const [name, given, expected] of cases) {
    it(name, async () => {
      const run = await environment.client.workflow.execute<(given: Lanes) => Promise<Run>>('lanes', {
        workflowId: name,
        taskQueue: 'in-flight',
        args: [given],
        workflowExecutionTimeout: '100 days',
      });
      // Those that take as long as each other end in any order.
      assert.deepEqual({ ...run, ended: [...run.ended].sort() }, expected);
    });
  }
});
