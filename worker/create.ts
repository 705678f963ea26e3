import { rm } from 'node:fs/promises';

import { Client } from '@temporalio/client';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';

import { createActivities } from '../activities/create.js';
import { openSources } from '../activities/sources.js';
import { turns } from '../activities/turns.js';
import type { SourceConfig } from '../config/schema.js';
import type { Store } from '../stores/store.js';
import type { BatchLimits } from '../warehouse/plan-request.js';
import { openPool } from '../warehouse/pool.js';
import { workflowCode } from './bundle.js';
import { makeSpool } from './spool.js';

export interface WorkerSettings {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly postgresUrl: string;
  readonly sources: readonly SourceConfig[];
  readonly maxConcurrentActivities: number;
  /** Milliseconds that a stopping worker lets its steps finish before it hands them back. */
  readonly shutdownGraceTime: number;
  /** Files read at the same time. */
  readonly readers: number;
  /** Of one reader, e.g. `256MB`. */
  readonly memoryLimit: string;
  readonly spoolDirectory?: string;
  /** Files and bytes of a staging step. Default: as measured, see activities/plan.ts. */
  readonly batchLimits?: BatchLimits;
  /** Default: the store that a source's configuration names. */
  readonly openStore?: (source: SourceConfig) => Store;
  readonly workflowCode?: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>;
}

export interface LandfallWorker {
  readonly worker: Worker;
  /** Ends what the worker's activities used; after the worker has stopped. */
  readonly close: () => Promise<void>;
}

export async function createWorker(settings: WorkerSettings): Promise<LandfallWorker> {
  const pool = openPool(settings.postgresUrl, settings.maxConcurrentActivities + 2);
  const spool = await makeSpool(settings.spoolDirectory);
  const { source, close } = openSources(settings.sources, pool, settings.openStore);
  const activities = createActivities({
    pool,
    source,
    client: new Client({ connection: settings.connection, namespace: settings.namespace }),
    reader: { memoryLimit: settings.memoryLimit, threads: 1, spillDirectory: spool },
    spoolDirectory: spool,
    readers: turns(settings.readers),
    batchLimits: settings.batchLimits,
  });
  const end = async (): Promise<void> => {
    await close();
    await pool.end();
    await rm(spool, { recursive: true, force: true });
  };
  const worker = await Worker.create({
    connection: settings.connection,
    namespace: settings.namespace,
    taskQueue: settings.taskQueue,
    activities,
    ...(settings.workflowCode ?? workflowCode()),
    maxConcurrentActivityTaskExecutions: settings.maxConcurrentActivities,
    // 0.4 MB a cached workflow: hundreds of waiting deliveries must not fill memory.
    maxCachedWorkflows: 200,
    // The SDK's 10 s would be what every delivery waits for a worker that was killed before another one has it.
    stickyQueueScheduleToStartTimeout: '3s',
    shutdownGraceTime: settings.shutdownGraceTime,
    shutdownForceTime: settings.shutdownGraceTime + 15_000,
  }).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return { worker, close: end };
}
