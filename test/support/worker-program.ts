/**
 * A worker as a program of its own, for tests that kill it. Takes its settings as JSON in LANDFALL_TEST_WORKER, waits for
 * a line on stdin, and works from then on.
 */
import { once } from 'node:events';
import { NativeConnection } from '@temporalio/worker';

import { createWorker } from '../../worker/create.js';
import { sourceOf } from './landfall.js';
import { quietRuntime } from './runtime.js';
import type { WorkerProgramSettings } from './worker-process.js';

const settings = JSON.parse(process.env['LANDFALL_TEST_WORKER'] ?? '') as WorkerProgramSettings;
quietRuntime();
await once(process.stdin, 'data');
const connection = await NativeConnection.connect({ address: settings.address });
const { worker } = await createWorker({
  connection,
  namespace: 'default',
  taskQueue: settings.taskQueue,
  postgresUrl: settings.postgresUrl,
  sources: [sourceOf(settings.configText)],
  maxConcurrentActivities: 8,
  shutdownGraceTime: 200,
  readers: 2,
  memoryLimit: '128MB',
  spoolDirectory: settings.spoolDirectory,
  batchLimits: settings.batchLimits,
  workflowCode: { workflowBundle: { codePath: settings.bundlePath } },
});
console.log('working');
await worker.run();
