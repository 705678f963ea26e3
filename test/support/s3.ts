import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { startS3, type S3Server } from '../../sandbox/s3.js';
import { atTheEnd, sharedByTheRun } from './shared.js';

/** What a client needs to reach a server. */
export type S3Access = Pick<S3Server, 'endpoint' | 'accessKeyId' | 'secretAccessKey'>;

export interface TestBucket extends S3Access {
  readonly bucket: string;
  /** Reaches the server itself, also where the code under test goes through a faulty proxy. */
  readonly client: S3Client;
  /** Puts an object and gives its ETag, quotes included. */
  readonly put: (key: string, body: string | Uint8Array) => Promise<string>;
  readonly remove: (key: string) => Promise<void>;
  readonly read: (key: string) => Promise<Uint8Array>;
  /** Keys that begin so; up to 1,000. */
  readonly list: (prefix: string) => Promise<string[]>;
}

let buckets = 0;

/** The one s3rver of a run. */
export const testS3: () => Promise<S3Server> = sharedByTheRun(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-s3-'));
  const server = await startS3({ directory, buckets: [] });
  atTheEnd(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return server;
});

/** An empty bucket for one test: on the run's s3rver, or on the server given. */
export async function testBucket(server?: S3Access): Promise<TestBucket> {
  const { endpoint, accessKeyId, secretAccessKey } = server ?? (await testS3());
  const bucket = `test-${process.pid}-${++buckets}`;
  const client = s3Client({ endpoint, accessKeyId, secretAccessKey });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    endpoint,
    accessKeyId,
    secretAccessKey,
    bucket,
    client,
    put: async (key, body) => {
      const { ETag } = await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
      if (ETag === undefined) throw new Error(`No ETag came back for ${key}`);
      return ETag;
    },
    remove: async (key) => {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
    read: async (key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return Body!.transformToByteArray();
    },
    list: async (prefix) => {
      const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      return (Contents ?? []).map((object) => object.Key!);
    },
  };
}

/** A client that is destroyed at the end of the run. `maxAttempts` 1 shows every fault as it is. */
export function s3Client(access: S3Access, maxAttempts = 3): S3Client {
  const client = new S3Client({
    endpoint: access.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: access.accessKeyId, secretAccessKey: access.secretAccessKey },
    maxAttempts,
    // s3rver 3.7.1 does not know the trailing checksums that the SDK adds by default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  atTheEnd(() => client.destroy());
  return client;
}
