import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { startS3 } from '../../sandbox/s3.js';
import { accessDenied, faultyS3, getOf, listing, slowDown, type FaultyS3 } from '../support/faulty-s3.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { s3Client, testBucket, type TestBucket } from '../support/s3.js';
import { skip } from '../support/skip.js';
import { versityS3 } from '../support/versitygw.js';

const KEY = '2026/11/20/part-1.json';

async function read(client: S3Client, bucket: string, key: string, version?: string): Promise<string> {
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: version }));
  return (await answer.Body?.transformToString()) ?? '';
}

describe('the S3 server of the sandbox', () => {
  it('keeps its objects across restarts, where they can be found by hand', () =>
    inTemporaryDirectory(async (directory) => {
      const first = await startS3({ directory, buckets: ['exports'] });
      const client = s3Client(first);
      const bucket = await testBucket(first);
      await bucket.put(KEY, 'a row');
      assert.deepEqual((await client.send(new ListObjectsV2Command({ Bucket: 'exports' }))).KeyCount, 0);
      await first.stop();
      assert.equal(await readFile(join(directory, bucket.bucket, `${KEY}._S3rver_object`), 'utf8'), 'a row');

      const second = await startS3({ directory, buckets: ['exports'] });
      assert.equal(await read(s3Client(second), bucket.bucket, KEY), 'a row');
      await second.stop();
    }));

  it('ignores If-Match, so that readers must compare the ETag of the answer', async () => {
    const bucket = await testBucket();
    const version = await bucket.put(KEY, 'first');
    await bucket.put(KEY, 'second');
    assert.equal(await read(bucket.client, bucket.bucket, KEY, version), 'second');
  });
});

describe('versitygw', () => {
  it('honours If-Match', async function () {
    const server = await versityS3();
    if (typeof server === 'string') skip(this, server);
    const bucket = await testBucket(server);
    const version = await bucket.put(KEY, 'first');
    assert.equal(await read(bucket.client, bucket.bucket, KEY, version), 'first');
    await bucket.put(KEY, 'second');
    await assert.rejects(read(bucket.client, bucket.bucket, KEY, version), { name: 'PreconditionFailed' });
  });
});

describe('an S3 server that fails as it is told', () => {
  let bucket: TestBucket;
  let faulty: FaultyS3;
  /** Shows every fault as it is. */
  let client: S3Client;

  beforeEach(async () => {
    bucket = await testBucket();
    faulty = await faultyS3();
    client = s3Client(faulty, 1);
    await bucket.put(KEY, 'x'.repeat(100_000));
  });
  afterEach(() => faulty.stop());

  const readKey = (through = client): Promise<string> => read(through, bucket.bucket, KEY);

  it('passes everything on while nothing is to fail, and counts it', async () => {
    assert.equal((await readKey()).length, 100_000);
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: bucket.bucket }));
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      [KEY],
    );
    assert.equal(faulty.count(getOf('part-1.json')), 1);
    assert.equal(faulty.count(listing), 1);
    assert.equal(faulty.requests.length, 2);
  });

  it('asks to slow down as often as told, which the SDK retries', async () => {
    faulty.fail(getOf(KEY), slowDown, 2);
    await assert.rejects(readKey(), { name: 'SlowDown' });
    assert.equal((await readKey(s3Client(faulty, 2))).length, 100_000);
    assert.equal(faulty.count(getOf(KEY)), 3);
  });

  it('denies access', async () => {
    faulty.fail(listing, accessDenied);
    await assert.rejects(client.send(new ListObjectsV2Command({ Bucket: bucket.bucket })), {
      name: 'AccessDenied',
    });
  });

  it('cuts the connection in the middle of a body', async () => {
    faulty.fail(getOf(KEY), { kind: 'cut', afterBytes: 1000 });
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: KEY }));
    let received = 0;
    await assert.rejects(async () => {
      for await (const chunk of Body as AsyncIterable<Buffer>) received += chunk.length;
    }, /aborted/);
    assert.equal(received, 1000);
  });

  it('holds a request until the test lets it go', async () => {
    let letGo!: () => void;
    const released = new Promise<void>((resolve) => (letGo = resolve));
    faulty.fail(getOf(KEY), { kind: 'hold', until: () => released });
    const reading = readKey();
    const first = await Promise.race([reading.then(() => 'read'), readKey().then(() => 'overtaken')]);
    assert.equal(first, 'overtaken');
    letGo();
    assert.equal((await reading).length, 100_000);
  });

  it('lets an object change, or vanish, right before it is read', async () => {
    faulty.fail(getOf(KEY), { kind: 'before', act: () => bucket.put(KEY, 'rewritten') });
    assert.equal(await readKey(), 'rewritten');
    faulty.fail(getOf(KEY), { kind: 'before', act: () => bucket.remove(KEY) });
    await assert.rejects(readKey(), { name: 'NoSuchKey' });
  });

  it('fails no more when it is healed', async () => {
    faulty.fail(getOf(KEY), slowDown, 100);
    faulty.heal();
    assert.equal((await readKey()).length, 100_000);
  });
});
