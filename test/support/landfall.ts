import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import {
  bundleWorkflowCode,
  type NativeConnection,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';

import type { SourceConfig } from '../../config/schema.js';
import { parseConfig } from '../../config/load.js';
import { deliveryStart } from '../../config/delivery-start.js';
import { nameDay } from '../../config/name-delivery.js';
import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { vendors } from '../../vendors/registry.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { createWorker, type LandfallWorker, type WorkerSettings } from '../../worker/create.js';
import { testDatabase, type TestDatabase } from './postgres.js';
import { testBucket, type S3Access, type TestBucket } from './s3.js';
import { sharedByTheRun } from './shared.js';

/** Workflows bundled from their sources, once a run. */
export const workflowBundle: () => Promise<WorkflowBundleWithSourceMap> = sharedByTheRun(async () => {
  const quiet = (): void => undefined;
  return bundleWorkflowCode({
    workflowsPath: new URL('../../workflows/index.ts', import.meta.url).pathname,
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error },
  });
});

export const prefix = 'v1/account_id=1/';

/** A database, a bucket and a source between them, for one test. */
export interface TestSource {
  readonly database: TestDatabase;
  readonly bucket: TestBucket;
  readonly config: SourceConfig;
  /** The configuration file that names the source, for a worker in a process of its own. */
  readonly configText: string;
  /** Settings of a worker for it. */
  readonly worker: (
    connection: NativeConnection,
    changes?: Partial<WorkerSettings>,
  ) => Promise<LandfallWorker>;
  readonly taskQueue: string;
  readonly input: (type: string, date: string, changes?: Partial<DeliveryInput>) => DeliveryInput;
  readonly start: (
    client: Client,
    input: DeliveryInput,
  ) => Promise<WorkflowHandleWithFirstExecutionRunId<(input: DeliveryInput) => Promise<DeliveryResult>>>;
  /** What a query in its database gives. */
  readonly rows: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Puts all files below a folder into the bucket; markers last. */
  readonly upload: (directory: string) => Promise<void>;
  readonly drop: () => Promise<void>;
}

let sources = 0;

export interface TestSourceOptions {
  /** Server of the bucket; the run's s3rver by default. */
  readonly store?: S3Access;
  /** Endpoint by which the code under test reaches it, such as a faulty proxy's. */
  readonly through?: string;
  /** Dropped with the source; one of the run's server by default. */
  readonly database?: TestDatabase;
  /** Settings of the source, over the test's own. */
  readonly settings?: Record<string, unknown>;
}

export async function testSource(options: TestSourceOptions = {}): Promise<TestSource> {
  const name = `source-${process.pid}-${++sources}`;
  const database = options.database ?? (await testDatabase());
  const bucket = await testBucket(options.store);
  const configText = JSON.stringify({
    sources: {
      [name]: {
        vendor: 'optimizely',
        schema: 'experiments',
        store: {
          type: 's3',
          bucket: bucket.bucket,
          prefix,
          endpoint: options.through ?? bucket.endpoint,
          forcePathStyle: true,
          accessKeyId: bucket.accessKeyId,
          secretAccessKey: bucket.secretAccessKey,
        },
        ...options.settings,
      },
    },
  });
  const config = sourceOf(configText);
  await prepareSource(database.pool, config, vendors[config.vendor].scripts);
  const taskQueue = `queue-${name}`;

  return {
    database,
    bucket,
    config,
    configText,
    taskQueue,
    worker: async (connection, changes = {}) =>
      createWorker({
        connection,
        namespace: 'default',
        taskQueue,
        postgresUrl: database.url,
        sources: [config],
        maxConcurrentActivities: 8,
        shutdownGraceTime: 200,
        readers: 2,
        memoryLimit: '128MB',
        workflowCode: { workflowBundle: await workflowBundle() },
        ...changes,
      }),
    input: (type, date, changes = {}) => ({
      ...deliveryStart(config, nameDay(config, type, date), Date.now()).input,
      heartbeatTimeout: 3_000,
      ...changes,
    }),
    start: (client, input) =>
      client.workflow.start(input.vendor, {
        workflowId: input.id,
        taskQueue,
        args: [input],
        // A test that ends early must not leave a workflow behind that runs for days.
        workflowExecutionTimeout: '30 days',
      }),
    upload: (directory) => uploadFolder(bucket, directory),
    rows: async (sql) => (await database.pool.query<Record<string, unknown>>(sql)).rows,
    drop: database.drop,
  };
}

/** Puts all files below a folder into the bucket; markers last. */
export async function uploadFolder(bucket: TestBucket, directory: string): Promise<void> {
  const names = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort((a, b) => Number(a.endsWith('/_SUCCESS')) - Number(b.endsWith('/_SUCCESS')));
  for (const file of names) await bucket.put(prefix + file, await readFile(join(directory, file)));
}

/** The one source that a configuration names. */
export function sourceOf(configText: string): SourceConfig {
  const { sources: parsed } = parseConfig({
    name: 'test.yaml',
    path: 'test.yaml',
    env: {},
    text: configText,
  });
  return parsed[0]!;
}

/** A folder for one test's files. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-test-files-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
