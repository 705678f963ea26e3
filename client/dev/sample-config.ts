import { writeFile } from 'node:fs/promises';

import { stringify } from 'yaml';

import type { S3Server } from '../../sandbox/s3.js';

/** A vendor's export that `landfall dev` makes, and the source that is configured for it. */
export type Sample = StoredSample | SentSample;

interface SampleSource {
  readonly source: string;
  readonly vendor: string;
  /** Settings that make it quick to watch. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** One that was put where the source can read it. */
export interface StoredSample extends SampleSource {
  /** How the source reaches it. */
  readonly store: Readonly<Record<string, unknown>>;
  /** First and last day of it. */
  readonly from: string;
  readonly to: string;
}

/** One that the vendor sends to our receiver. */
export interface SentSample extends SampleSource {
  readonly receiver: { readonly port: number };
  /** Sends it to the address of a receiver. Settles when all of it is there; throws when it could not be delivered. */
  readonly send: (receiver: string) => Promise<void>;
}

export function isSent(sample: Sample): sample is SentSample {
  return 'send' in sample;
}

/** What a source says of a bucket of the sandbox's S3 server. */
export function s3Store(server: S3Server, bucket: string, prefix: string): StoredSample['store'] {
  return {
    type: 's3',
    bucket,
    prefix,
    endpoint: server.endpoint,
    forcePathStyle: true,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
  };
}

/** Writes a configuration for the samples, which other commands use while `landfall dev` runs, and people copy from. */
export async function writeSampleConfig(path: string, samples: readonly Sample[]): Promise<void> {
  const sources = samples.map((sample) => {
    const { source, vendor, settings } = sample;
    // Nothing new comes beside what is started by name.
    const more = isSent(sample) ? {} : { store: sample.store, discoverEvery: '1 day' };
    return [source, { vendor, schema: vendor, ...settings, ...more }];
  });
  const sent = samples.find(isSent);
  const document = {
    sources: Object.fromEntries(sources) as unknown,
    ...(sent ? { receiver: sent.receiver } : {}),
  };
  const head = "# Made by 'landfall dev' for its sample exports; written anew at every start.\n";
  await writeFile(path, head + stringify(document), { mode: 0o600 });
}
