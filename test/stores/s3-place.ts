import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { openS3, type S3Settings } from '../../stores/s3.js';
import type { FetchOptions, ListingPage, Store, StoredFile } from '../../stores/store.js';
import { faultyS3, type FaultyS3 } from '../support/faulty-s3.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { testBucket, type S3Access, type TestBucket } from '../support/s3.js';
import { failsAs } from './failing.js';

export const root = 'v1/account_id=1/';
export const day = 'type=events/date=2026-03-01/';

/** A bucket of a test's own, and a store on it that goes through a proxy which fails as it is told. */
export interface Place {
  readonly proxy: FaultyS3;
  readonly bucket: TestBucket;
  readonly store: Store;
  /** Another store through the same proxy. */
  readonly open: (changes: Partial<S3Settings>) => Store;
  /** Keys are relative to the store's root. */
  readonly put: (key: string, body?: string | Uint8Array) => Promise<string>;
  readonly putAndList: (key: string, body: string | Uint8Array) => Promise<StoredFile>;
  readonly close: () => Promise<void>;
}

export async function openPlace(server: S3Access): Promise<Place> {
  const proxy = await faultyS3(server);
  const bucket = await testBucket(server);
  const { accessKeyId, secretAccessKey } = server;
  const open = (changes: Partial<S3Settings>): Store =>
    openS3({
      bucket: bucket.bucket,
      prefix: root,
      region: 'us-east-1',
      endpoint: proxy.endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      ...changes,
    });
  const store = open({});
  const put: Place['put'] = (key, body = key) => bucket.put(root + key, body);
  return {
    proxy,
    bucket,
    store,
    open,
    put,
    putAndList: async (key, body) => {
      await put(key, body);
      const file = (await listAll(store, day)).find((listed) => listed.key === key);
      assert.ok(file, `${key} is not listed`);
      return file;
    },
    close: async () => {
      await store.close();
      await proxy.stop();
    },
  };
}

export async function pagesOf(listed: AsyncIterable<ListingPage>): Promise<ListingPage[]> {
  const pages: ListingPage[] = [];
  for await (const page of listed) pages.push(page);
  return pages;
}

export async function listAll(store: Store, prefix: string, signal?: AbortSignal): Promise<StoredFile[]> {
  return (await pagesOf(store.list(prefix, signal ? { signal } : {}))).flatMap(({ files }) => files);
}

export function fetched(store: Store, file: StoredFile, options?: FetchOptions): Promise<Buffer> {
  return inTemporaryDirectory(async (folder) => {
    const path = join(folder, 'part');
    await store.fetch(file, path, options);
    return readFile(path);
  });
}

export function isChanged({ proxy, store }: Place, file: StoredFile): (error: unknown) => true {
  return failsAs('FileChanged', proxy, () => [
    `${store.name}${file.key} changed after it was listed as version ${file.version}: `,
    'The delivery is planned again.',
  ]);
}

/** The same bytes for the same length and name, and no two blocks alike. */
export function randomBytes(length: number, name = 'one'): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, i) =>
    createHash('sha512').update(`${name}/${length}/${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}
