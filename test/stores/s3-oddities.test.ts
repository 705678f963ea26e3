/** Servers that speak S3 in their own way, and what a store makes of it. */

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { openS3 } from '../../stores/s3.js';
import type { Store, StoredFile } from '../../stores/store.js';
import { failsAs } from './failing.js';
import { day, fetched, listAll, randomBytes, root } from './s3-place.js';

const keys = { accessKeyId: 'an-access-key', secretAccessKey: 'a-secret-key', bucket: 'b' };
const body = randomBytes(6_000_000);
const file: StoredFile = { key: `${day}part-0`, version: 'v1', size: body.length, modified: 0 };

describe('a store on an S3 server of its own kind', function () {
  this.timeout(20_000);

  it('begins anew where the server answers a request for the rest with the whole', async () => {
    const asked: (string | undefined)[] = [];
    await withServer(
      (request, response) => {
        asked.push(request.headers.range);
        response.writeHead(200, { etag: '"v1"', 'content-length': body.length });
        if (asked.length > 1) response.end(body);
        else response.write(body.subarray(0, 5_000_000), () => response.destroy());
      },
      async (store) => assert.ok(body.equals(await fetched(store, file))),
    );
    assert.equal(asked.length, 2);
    assert.match(asked[1] ?? '', /^bytes=\d+-$/);
  });

  it('goes on over a new connection when one has brought nothing for a while', async () => {
    let requests = 0;
    await withServer(
      (request, response) => {
        requests += 1;
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const range =
          from === 0 ? {} : { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` };
        response.writeHead(from === 0 ? 200 : 206, {
          etag: '"v1"',
          'content-length': body.length - from,
          ...range,
        });
        if (requests === 1) response.write(body.subarray(0, 5_000_000));
        else response.end(body.subarray(from));
      },
      async (store) => assert.ok(body.equals(await fetched(store, file))),
    );
    assert.equal(requests, 2);
  });

  it('refuses what is not the listed version, though the server was asked for no other', async () => {
    await withServer(
      (_, response) => response.writeHead(200, { etag: '"v2"', 'content-length': body.length }).end(body),
      (store) =>
        assert.rejects(
          fetched(store, file),
          failsAs('FileChanged', keys, (at) => [
            `${at}${file.key} changed`,
            'it was written anew as version v2.',
          ]),
        ),
    );
  });

  it('refuses a body of another length than the listed one', async () => {
    await withServer(
      (_, response) => response.writeHead(200, { etag: '"v1"', 'content-length': 3 }).end('abc'),
      (store) =>
        assert.rejects(
          fetched(store, file),
          failsAs('FileChanged', keys, () => ['changed after']),
        ),
    );
  });

  it('does not take half a listing for a whole one', async () => {
    await withServer(
      (_, response) =>
        response.writeHead(200, { 'content-type': 'application/xml' }).end(
          `<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>${root}${day}part-0</Key>
           <ETag>"v1"</ETag><Size>1</Size></Contents></ListBucketResult>`,
        ),
      (store) =>
        assert.rejects(
          listAll(store, day),
          failsAs('StoreUnavailable', keys, (at) => [
            `Listing ${at}${day} ended in the middle: `,
            'It is retried.',
          ]),
        ),
    );
  });

  it('says that nobody answers', async () => {
    const store = await withServer(
      () => undefined,
      (gone) => Promise.resolve(gone),
    );
    await assert.rejects(
      listAll(store, day),
      failsAs('StoreUnavailable', keys, (at) => [
        `Listing ${at}${day} failed: `,
        'ECONNREFUSED',
        'It is retried.',
      ]),
    );
  });
});

async function withServer<T>(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const store = openS3({
    bucket: keys.bucket,
    prefix: root,
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: keys,
    idleTimeout: 300,
  });
  try {
    return await work(store);
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}
