import { mkdir } from 'node:fs/promises';

import { watchStore, type WatchBucket } from './watched-store.js';
import { exchangeWholeObjects } from './whole-objects.js';

export interface S3Options {
  /** Objects lie here as `<bucket>/<key>._S3rver_object`, with their MD5 and their metadata beside them. */
  readonly directory: string;
  /** Of 127.0.0.1. Without it a free one is found. */
  readonly port?: number;
  /** Made where they are missing. */
  readonly buckets: readonly string[];
}

/** An S3 server on 127.0.0.1, to be used with path-style addresses. */
export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly stop: () => Promise<void>;
}

/** One of our own, which tells who looks at a bucket. */
export interface SandboxS3 extends S3Server {
  readonly watch: WatchBucket;
}

/**
 * Starts s3rver inside this process. It is not S3 in every respect: it ignores If-Match, so whoever needs one
 * version of an object compares the ETag of the answer.
 */
export async function startS3(options: S3Options): Promise<SandboxS3> {
  const { default: S3rver } = await import('s3rver').catch((error: unknown) => {
    throw new Error(
      'The S3 server of the sandbox (npm package s3rver) is not installed. Run "npm ci" without --omit=dev, or ' +
        'use the endpoint of an S3 server of your own.',
      { cause: error },
    );
  });
  await mkdir(options.directory, { recursive: true });
  const server = new S3rver({
    address: '127.0.0.1',
    port: options.port ?? 0,
    directory: options.directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: options.buckets.map((name) => ({ name })),
  });
  exchangeWholeObjects(server);
  const watch = watchStore(server);
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    // The one pair of keys that s3rver knows.
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    watch,
    stop: async () => {
      const closed = server.close();
      // Clients keep connections alive, and a server waits for them.
      server.httpServer.closeAllConnections();
      await closed;
    },
  };
}
