import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** The part of s3rver 3.7.1's store that puts and gets objects. */
export interface Store {
  getResourcePath: (bucket: string, key: string, resource: 'object') => string;
  putMetadata: (bucket: string, key: string, metadata: unknown, md5: string) => Promise<void>;
  getObject: (bucket: string, key: string, options?: unknown) => Promise<unknown>;
  putObject: (object: StoredObject) => Promise<{ size: number; md5: string }>;
}

interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly content: Buffer | Readable;
  readonly metadata: unknown;
}

/**
 * Makes s3rver exchange an object as a whole, as S3 does. By itself it writes over the file that others are reading and
 * tells its ETag afterwards: of 38 readers of a 2.5 MB object that was overwritten every 25 ms, 31 got bytes that were
 * not those of their ETag, and others waited for 5 s until their connection was cut. This way it is none of 500.
 */
export function exchangeWholeObjects(server: object): void {
  const { store } = server as { readonly store: Store };
  const get = store.getObject.bind(store);

  // One at a time: bytes and ETag are two files, and a reader must not come between them.
  let turn: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work, work);
    turn = done;
    return done;
  };

  // It returns when the file is open, and so has what lies there then, whatever is put meanwhile.
  store.getObject = (bucket, key, options) => alone(() => get(bucket, key, options));
  store.putObject = async ({ bucket, key, content, metadata }) => {
    const path = store.getResourcePath(bucket, key, 'object');
    const upload = `${path}.${randomUUID()}`;
    await mkdir(dirname(path), { recursive: true });
    const hash = createHash('md5');
    let size = 0;
    const measured = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    };
    try {
      const source = Buffer.isBuffer(content) ? Readable.from([content]) : content;
      await pipeline(source, measured, createWriteStream(upload));
      const md5 = hash.digest('hex');
      await alone(async () => {
        await rename(upload, path);
        await store.putMetadata(bucket, key, metadata, md5);
      });
      return { size, md5 };
    } finally {
      await rm(upload, { force: true });
    }
  };
}
