import { writeFile } from 'node:fs/promises';

import { stringify } from 'yaml';

import type { SampleBucket } from '../../sandbox/sample-bucket.js';
import type { S3Server } from '../../sandbox/s3.js';

export const sampleSource = 'experiments';

/** Writes a configuration for the sample, which other commands use while `landfall dev` runs, and people copy from. */
export async function writeSampleConfig(path: string, server: S3Server, sample: SampleBucket): Promise<void> {
  const config = {
    sources: {
      [sampleSource]: {
        vendor: 'optimizely',
        schema: 'optimizely',
        store: {
          type: 's3',
          bucket: sample.bucket,
          prefix: sample.prefix,
          endpoint: server.endpoint,
          forcePathStyle: true,
          accessKeyId: server.accessKeyId,
          secretAccessKey: server.secretAccessKey,
        },
        pollEvery: '1 minute',
        // Nothing new comes into its bucket.
        discoverEvery: '1 day',
      },
    },
  };
  const head = "# Made by 'landfall dev' for its sample export; written anew at every start.\n";
  await writeFile(path, head + stringify(config), { mode: 0o600 });
}
