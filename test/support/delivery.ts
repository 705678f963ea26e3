import type { Client } from '@temporalio/client';

import { writeDay, type DayToWrite, type WrittenDay } from '../../sandbox/optimizely/day.js';
import type { DeliveryInput, DeliveryResult, DeliverySignal } from '../../model/control.js';
import { dayPrefix } from '../../vendors/optimizely/layout.js';
import type { WorkerSettings } from '../../worker/create.js';
import { inTemporaryFolder, prefix, type TestSource } from './landfall.js';
import { devServer } from './temporal.js';

/** The vendor delivers a day: what lay there of it goes, its files come into the source's bucket, the marker last. */
export async function deliver(source: TestSource, day: Omit<DayToWrite, 'directory'>): Promise<WrittenDay> {
  for (const key of await source.bucket.list(`${prefix}${dayPrefix(day.type, day.date)}`)) {
    await source.bucket.remove(key);
  }
  return inTemporaryFolder(async (directory) => {
    const written = await writeDay({ directory, ...day });
    await source.upload(directory);
    return written;
  });
}

/** Runs a worker of the source, against the run's dev server, for as long as `work` takes. */
export async function withWorker<T>(
  source: TestSource,
  work: (client: Client) => Promise<T>,
  changes: Partial<WorkerSettings> = {},
): Promise<T> {
  const { environment } = await devServer();
  const { worker, close } = await source.worker(environment.nativeConnection, changes);
  try {
    return await worker.runUntil(() => work(environment.client));
  } finally {
    await close();
  }
}

/** Starts a delivery and waits for its end. */
export async function load(
  source: TestSource,
  type: string,
  date: string,
  changes: Partial<WorkerSettings> = {},
  input: Partial<DeliveryInput> = {},
): Promise<DeliveryResult> {
  return withWorker(
    source,
    async (client) => (await source.start(client, source.input(type, date, input))).result(),
    changes,
  );
}

/** Signals a delivery, which is started again where it has ended, and waits for its end: what `landfall reprocess` does. */
export async function signal(
  source: TestSource,
  client: Client,
  name: DeliverySignal,
  reason: string,
  input: DeliveryInput,
): Promise<DeliveryResult> {
  const handle = await client.workflow.signalWithStart(input.vendor, {
    workflowId: input.id,
    taskQueue: source.taskQueue,
    args: [input],
    signal: name,
    signalArgs: [{ reason }],
    workflowExecutionTimeout: '30 days',
  });
  return (await handle.result()) as DeliveryResult;
}
