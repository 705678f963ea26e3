/** Brings servers that hold sample exports, and says how sources reach these. */

import { join } from 'node:path';

import { addDays, dayOf } from '../../model/day.js';
import type { SandboxS3 } from '../../sandbox/s3.js';
import { s3Store, type Sample, type SentSample, type StoredSample } from './sample-config.js';
import type { Problems } from './problems.js';
import type { Sandbox } from './servers.js';

/** The sample exports of all vendors. Where LANDFALL_SAMPLES names real ones, only those. */
export async function bringSamples(sandbox: Sandbox, problems: Problems): Promise<readonly Sample[]> {
  const { startS3 } = await import('../../sandbox/s3.js');
  const { sampleBuckets } = await import('../../sandbox/sample-bucket.js');
  const { leanplumBucket } = await import('../../sandbox/leanplum/sample.js');
  const { megaphoneBucket } = await import('../../sandbox/megaphone/sample.js');
  const server = await startS3({
    directory: join(sandbox.folder, 's3'),
    buckets: [...sampleBuckets, megaphoneBucket, leanplumBucket],
  });
  sandbox.defer(() => server.stop());
  const named = sandbox.terminal.env['LANDFALL_SAMPLES'];
  if (named !== undefined && named !== '') return [await bringExperiments(sandbox, server, named)];
  const samples = [
    await problems.of('experiments', () => bringExperiments(sandbox, server)),
    await problems.of('podcasts', () => bringPodcasts(sandbox, server)),
    await problems.of('sessions', () => bringSessions(sandbox, server)),
    await problems.of('visits', () => bringVisits(sandbox)),
    await problems.of('rum', () => bringRum(sandbox)),
  ];
  return samples.filter((sample) => sample !== undefined);
}

/** Lets a vendor that goes on beside everything else end with the sandbox, and says so where it ends before. */
function goesOn(
  { defer, progress }: Sandbox,
  source: string,
  { done, stop }: { readonly done: Promise<void>; readonly stop: () => Promise<unknown> },
): void {
  done.catch((error: unknown) => {
    progress(`  ${source}: the sandbox's vendor has ended: ${(error as Error).message}`);
  });
  // That has been said.
  defer(() => stop().then(undefined, () => undefined));
}

async function bringExperiments(sandbox: Sandbox, server: SandboxS3, real?: string): Promise<StoredSample> {
  const { fillSampleBucket } = await import('../../sandbox/sample-bucket.js');
  const { bucket, prefix, from, to } = await fillSampleBucket({
    ...{ server, memory: memoryOf(sandbox), progress: sandbox.progress },
    ...(real === undefined ? {} : { samples: real }),
    lastDay: addDays(dayOf(Date.now()), -1),
  });
  return {
    ...{ source: 'experiments', vendor: 'optimizely', store: s3Store(server, bucket, prefix), from, to },
    settings: { pollEvery: '1 minute' },
  };
}

async function bringPodcasts(sandbox: Sandbox, server: SandboxS3): Promise<StoredSample> {
  const { sampleMegaphone } = await import('../../sandbox/megaphone/sample.js');
  const sample = await sampleMegaphone({
    ...{ server, memory: memoryOf(sandbox), progress: sandbox.progress, now: Date.now() },
  });
  goesOn(sandbox, 'podcasts', sample);
  const { bucket, from, to } = sample;
  return {
    ...{ source: 'podcasts', vendor: 'megaphone', store: s3Store(server, bucket, ''), from, to },
    // The last day's file is overwritten when it was read, 8 seconds apart at least, then stands still.
    settings: { pollEvery: '2 seconds', settleFor: '15 seconds' },
  };
}

async function bringSessions(sandbox: Sandbox, server: SandboxS3): Promise<StoredSample> {
  const { sampleLeanplum } = await import('../../sandbox/leanplum/sample.js');
  const sample = await sampleLeanplum({
    ...{ server, memory: memoryOf(sandbox), progress: sandbox.progress, now: Date.now() },
  });
  goesOn(sandbox, 'sessions', sample);
  const { bucket, from, to } = sample;
  return {
    ...{ source: 'sessions', vendor: 'leanplum', store: s3Store(server, bucket, ''), from, to },
    // One job's manifest comes after 10 seconds, another's never.
    settings: { pollEvery: '2 seconds', discardAfter: '20 seconds' },
  };
}

export async function bringVisits(sandbox: Sandbox): Promise<StoredSample> {
  const { sampleMonetate } = await import('../../sandbox/monetate/sample.js');
  const sample = await sampleMonetate({
    directory: join(sandbox.folder, 'sftp'),
    ...{ memory: memoryOf(sandbox), progress: sandbox.progress, now: Date.now() },
  });
  goesOn(sandbox, 'visits', sample);
  const { server, username, password, root, maskKey, metadata, from, to } = sample;
  const { host, port, hostKey } = server;
  return {
    ...{ source: 'visits', vendor: 'monetate', from, to },
    store: { type: 'sftp', host, port, username, password, hostKey, root },
    // The afternoon of the last day comes within 21 seconds; 12 seconds later it is final.
    settings: { maskKey, metadata, pollEvery: '2 seconds', settleFor: '12 seconds' },
  };
}

export async function bringRum(sandbox: Sandbox): Promise<SentSample> {
  const { freePort } = await import('../../sandbox/ports.js');
  const { sampleDynatrace } = await import('../../sandbox/dynatrace/sample.js');
  const { username, password, send, stop } = await sampleDynatrace({
    memory: memoryOf(sandbox),
    now: Date.now(),
  });
  sandbox.defer(stop);
  return {
    ...{ source: 'rum', vendor: 'dynatrace' },
    // The same one at every start, if it can be had: it is what 'landfall check' shows.
    receiver: { port: await freePort(8480) },
    // Its bodies come every 4 seconds.
    settings: { auth: { basic: { username, password } }, gatherWithin: '2 seconds' },
    send: (receiver) => send(`${receiver}/dynatrace/rum`),
  };
}

/** What the samples remember lies beside them. */
function memoryOf({ folder }: Sandbox): string {
  return join(folder, 'sample');
}
