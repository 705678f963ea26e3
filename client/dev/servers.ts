/** Brings up what is not configured, in the order in which it is needed, and takes it down in the other. */

import { join } from 'node:path';

import type { Config } from '../../config/schema.js';
import { configuredTemporal, type TemporalAccess } from '../../config/temporal.js';
import { addDays, dayOf } from '../../model/day.js';
import type { Progress } from '../../sandbox/progress.js';
import type { S3Server } from '../../sandbox/s3.js';
import type { Terminal } from '../terminal.js';
import type { Sample } from './sample-config.js';

/** What `defer` was given is done at the end, last first. */
export type Defer = (end: () => Promise<void>) => void;

export interface Sandbox {
  /** `.landfall` in the current directory. */
  readonly folder: string;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly defer: Defer;
}

/** `postgres.url`, or DATABASE_URL, or a server of our own. */
export async function bringPostgres(sandbox: Sandbox, config: Config | undefined): Promise<string> {
  const configured = config?.postgres?.url.reveal() ?? sandbox.terminal.env['DATABASE_URL'];
  if (configured !== undefined && configured !== '') return configured;
  const { startPostgres } = await import('../../sandbox/postgres.js');
  const { freePort } = await import('../../sandbox/ports.js');
  const server = await startPostgres({
    dataDir: join(sandbox.folder, 'postgres'),
    // The same one at every start, if it can be had: people keep connection strings.
    port: await freePort(54329),
    progress: sandbox.progress,
  });
  sandbox.defer(() => server.stop());
  return server.url;
}

export interface BroughtTemporal {
  readonly access: TemporalAccess;
  readonly webUi?: string;
}

/** The connection that the temporal CLI would use, or a dev server of our own with its Web UI. */
export async function bringTemporal(sandbox: Sandbox, config: Config | undefined): Promise<BroughtTemporal> {
  const configured = configuredTemporal(config?.temporal.profile, sandbox.terminal.env);
  if (configured) {
    const webUi = config?.temporal.webUi;
    return { access: configured, ...(webUi === undefined ? {} : { webUi }) };
  }
  const { temporalCli } = await import('../../sandbox/temporal-cli.js');
  const { startTemporal } = await import('../../sandbox/temporal-server.js');
  const server = await startTemporal({
    binary: await temporalCli(sandbox.progress),
    dbFile: join(sandbox.folder, 'temporal.db'),
    logFile: join(sandbox.folder, 'temporal.log'),
  });
  sandbox.defer(() => server.stop());
  return {
    access: { connectionOptions: { address: server.address }, namespace: server.namespace },
    webUi: server.uiUrl,
  };
}

/** An S3 server that holds sample exports. Where LANDFALL_SAMPLES names real ones, only those. */
export async function bringSamples(
  sandbox: Sandbox,
): Promise<{ server: S3Server; samples: readonly Sample[] }> {
  const { startS3 } = await import('../../sandbox/s3.js');
  const { fillSampleBucket, sampleBuckets } = await import('../../sandbox/sample-bucket.js');
  const { leanplumBucket, sampleLeanplum } = await import('../../sandbox/leanplum/sample.js');
  const { megaphoneBucket, sampleMegaphone } = await import('../../sandbox/megaphone/sample.js');
  const directory = join(sandbox.folder, 's3');
  const server = await startS3({ directory, buckets: [...sampleBuckets, megaphoneBucket, leanplumBucket] });
  sandbox.defer(() => server.stop());
  const named = sandbox.terminal.env['LANDFALL_SAMPLES'];
  const real = named !== undefined && named !== '';
  const request = { server, memory: join(sandbox.folder, 'sample'), progress: sandbox.progress };
  const experiments: Sample = {
    source: 'experiments',
    vendor: 'optimizely',
    ...(await fillSampleBucket({
      ...request,
      ...(real ? { samples: named } : {}),
      lastDay: addDays(dayOf(Date.now()), -1),
    })),
    settings: { pollEvery: '1 minute' },
  };
  if (real) return { server, samples: [experiments] };
  const vendor = await sampleMegaphone({ ...request, now: Date.now() });
  sandbox.defer(() => vendor.stop());
  const podcasts: Sample = {
    source: 'podcasts',
    vendor: 'megaphone',
    ...{ bucket: vendor.bucket, prefix: '', from: vendor.from, to: vendor.to },
    // The last day's file is overwritten every 8 seconds, then stands still.
    settings: { pollEvery: '2 seconds', settleFor: '15 seconds' },
  };
  const app = await sampleLeanplum({ ...request, now: Date.now() });
  sandbox.defer(() => app.stop());
  const sessions: Sample = {
    source: 'sessions',
    vendor: 'leanplum',
    ...{ bucket: app.bucket, prefix: '', from: app.from, to: app.to },
    // One job's manifest comes after 10 seconds, another's never.
    settings: { pollEvery: '2 seconds', discardAfter: '20 seconds' },
  };
  return { server, samples: [experiments, podcasts, sessions] };
}
