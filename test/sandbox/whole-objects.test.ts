import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import S3rver from 's3rver';

import { exchangeWholeObjects, type Store } from '../../sandbox/whole-objects.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { s3Client } from '../support/s3.js';

const at = { Bucket: 'podcasts', Key: 'metrics-day-2026-03-01.json.gz' };

async function withServer(
  body: (client: S3Client, directory: string, store: Store) => Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const options = { address: '127.0.0.1', port: 0, directory, silent: true, vhostBuckets: false };
    const server = new S3rver({ ...options, configureBuckets: [] });
    exchangeWholeObjects(server);
    const { port } = await server.run();
    const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
    const client = s3Client({ endpoint: `http://127.0.0.1:${port}`, ...keys }, 1);
    try {
      await client.send(new CreateBucketCommand({ Bucket: at.Bucket }));
      await body(client, directory, (server as unknown as { readonly store: Store }).store);
    } finally {
      const closed = server.close();
      server.httpServer.closeAllConnections();
      await closed;
    }
  });
}

describe('an object that is overwritten while it is read', () => {
  it('comes as a whole, with its own ETag', () =>
    withServer(async (client) => {
      const versions = [randomBytes(2_000_000), randomBytes(1_500_000)];
      const put = (count: number): Promise<unknown> =>
        client.send(new PutObjectCommand({ ...at, Body: versions[count % 2]! }));
      await put(0);
      const writing = (async () => {
        for (let count = 1; count < 40; count += 1) await put(count);
      })();
      let reads = 0;
      let over = false;
      void writing.finally(() => (over = true));
      while (!over) {
        const { Body, ETag } = await client.send(new GetObjectCommand(at));
        const md5 = createHash('md5').update(await Body!.transformToByteArray());
        assert.equal(ETag, `"${md5.digest('hex')}"`);
        reads += 1;
      }
      await writing;
      assert.ok(reads > 0);
    }));

  it('stays what it was where an upload is broken off, and nothing is left of that', () =>
    withServer(async (client, directory, store) => {
      await client.send(new PutObjectCommand({ ...at, Body: 'the earlier version' }));
      const before = await readdir(join(directory, at.Bucket));
      const content = Readable.from(
        (function* () {
          yield Buffer.alloc(100_000);
          throw new Error('the client is gone');
        })(),
      );
      const object = { bucket: at.Bucket, key: at.Key, content, metadata: {} };
      await assert.rejects(store.putObject(object), /the client is gone/);
      const { Body } = await client.send(new GetObjectCommand(at));
      assert.equal(await Body!.transformToString(), 'the earlier version');
      assert.deepEqual(await readdir(join(directory, at.Bucket)), before);
    }));
});
