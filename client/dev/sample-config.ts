import { writeFile } from 'node:fs/promises';

import { stringify } from 'yaml';

import type { S3Server } from '../../sandbox/s3.js';

/** A vendor's export that `landfall dev` has put into a bucket of its own. */
export interface Sample {
  /** The source that is configured for it. */
  readonly source: string;
  readonly vendor: string;
  readonly bucket: string;
  readonly prefix: string;
  /** First and last day of it. */
  readonly from: string;
  readonly to: string;
  /** Settings that make it quick to watch. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Writes a configuration for the samples, which other commands use while `landfall dev` runs, and people copy from. */
export async function writeSampleConfig(
  path: string,
  server: S3Server,
  samples: readonly Sample[],
): Promise<void> {
  const sources = samples.map(({ source, vendor, bucket, prefix, settings }) => [
    source,
    {
      vendor,
      schema: vendor,
      store: {
        type: 's3',
        bucket,
        prefix,
        endpoint: server.endpoint,
        forcePathStyle: true,
        accessKeyId: server.accessKeyId,
        secretAccessKey: server.secretAccessKey,
      },
      ...settings,
      // Nothing new comes into its bucket beside what is started by name.
      discoverEvery: '1 day',
    },
  ]);
  const head = "# Made by 'landfall dev' for its sample exports; written anew at every start.\n";
  await writeFile(path, head + stringify({ sources: Object.fromEntries(sources) as unknown }), {
    mode: 0o600,
  });
}
