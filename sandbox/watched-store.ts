/** Lets the sandbox's vendors see who looks at their buckets. */

import type { EventEmitter } from 'node:events';

/** The part of s3rver 3.7.1's store that lists and gets objects. */
interface Store {
  listObjects: (bucket: string, options: unknown) => Promise<unknown>;
  getObject: (bucket: string, key: string, options?: unknown) => Promise<StoredObject | null>;
}

interface StoredObject {
  readonly content: EventEmitter | null;
}

export interface BucketWatcher {
  /** Before a listing is made. */
  readonly listing?: () => Promise<void>;
  /** An object was read up to its end. */
  readonly read?: (key: string) => void;
}

export type WatchBucket = (bucket: string, watcher: BucketWatcher) => void;

export function watchStore(server: object): WatchBucket {
  const { store } = server as { readonly store: Store };
  const watchers = new Map<string, BucketWatcher>();
  const list = store.listObjects.bind(store);
  store.listObjects = async (bucket, options) => {
    await watchers.get(bucket)?.listing?.();
    return list(bucket, options);
  };
  const get = store.getObject.bind(store);
  store.getObject = async (bucket, key, options) => {
    const object = await get(bucket, key, options);
    object?.content?.once('end', () => watchers.get(bucket)?.read?.(key));
    return object;
  };
  return (bucket, watcher) => void watchers.set(bucket, watcher);
}
