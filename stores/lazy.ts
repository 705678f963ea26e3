import type { Store } from './store.js';

/** A store that is opened when it is first used, for want of its address until then. A failed opening is tried again. */
export function lazyStore(name: string, open: () => Promise<Store>): Store {
  let opening: Promise<Store> | undefined;
  const store = (): Promise<Store> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    name,
    async *list(prefix, options) {
      yield* (await store()).list(prefix, options);
    },
    fetch: async (file, path, options) => (await store()).fetch(file, path, options),
    remove: async (file, options) => (await store()).remove(file, options),
    close: async () => (await opening?.catch(() => undefined))?.close(),
  };
}
