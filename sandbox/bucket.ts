import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import type { S3Server } from './s3.js';

/** A bucket of the sandbox's S3 server, to be filled. */
export interface Bucket {
  /** Puts a file. There is no breaking off: s3rver by itself would leave half of it under the earlier ETag. */
  readonly put: (key: string, path: string) => Promise<void>;
  readonly close: () => void;
}

export function openBucket(
  server: Pick<S3Server, 'endpoint' | 'accessKeyId' | 'secretAccessKey'>,
  name: string,
): Bucket {
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  return {
    put: async (key, path) => {
      const { size } = await stat(path);
      await client.send(
        new PutObjectCommand({ Bucket: name, Key: key, Body: createReadStream(path), ContentLength: size }),
      );
    },
    close: () => client.destroy(),
  };
}
