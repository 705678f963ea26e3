import { writeFile } from 'node:fs/promises';

import { stringify } from 'yaml';

import type { S3Server } from '../../sandbox/s3.js';

/** A vendor's export that `landfall dev` has put where a source can read it. */
export interface Sample {
  /** The source that is configured for it. */
  readonly source: string;
  readonly vendor: string;
  /** How the source reaches it. */
  readonly store: Readonly<Record<string, unknown>>;
  /** First and last day of it. */
  readonly from: string;
  readonly to: string;
  /** Settings that make it quick to watch. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What a source says of a bucket of the sandbox's S3 server. */
export function s3Store(server: S3Server, bucket: string, prefix: string): Sample['store'] {
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
  const sources = samples.map(({ source, vendor, store, settings }) => [
    source,
    {
      vendor,
      schema: vendor,
      store,
      ...settings,
      // Nothing new comes beside what is started by name.
      discoverEvery: '1 day',
    },
  ]);
  const head = "# Made by 'landfall dev' for its sample exports; written anew at every start.\n";
  await writeFile(path, head + stringify({ sources: Object.fromEntries(sources) as unknown }), {
    mode: 0o600,
  });
}
