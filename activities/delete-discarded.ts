import type { Delivery } from '../model/delivery.js';
import type { StoredFile } from '../stores/store.js';
import { deliversJobs } from '../vendors/vendor.js';
import { listForDeletion, noteDeleted } from '../warehouse/deleted-files.js';
import type { Dependencies, OpenSource } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export function createDeleteDiscarded({ pool, source }: Dependencies) {
  /**
   * Deletes the parts of a discarded job from the store, and nothing else: first they are in the ledger. Returns false,
   * and deletes nothing, when all its manifests are there by now.
   */
  return async function deleteDiscarded(delivery: Delivery): Promise<boolean> {
    const opened = source(delivery.source);
    const progress = { deleted: 0 };
    return withHeartbeat(
      () => progress,
      async (signal) => {
        const parts = await listParts(opened, delivery, signal);
        if (parts === undefined) return false;
        await listForDeletion(pool, delivery, parts);
        // Writing the list took its time; a manifest that has come since saves them.
        if ((await listParts(opened, delivery, signal)) === undefined) return false;
        for (const part of parts) {
          await opened.store.remove(part, { signal });
          progress.deleted += 1;
        }
        // An attempt before this one may have deleted some that are no longer there to be listed.
        await noteDeleted(pool, delivery.id, opened.store.name);
        return true;
      },
    );
  };
}

/** The parts of a job that is not complete; undefined when all its manifests are there. */
async function listParts(
  { vendor, store }: OpenSource,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<readonly StoredFile[] | undefined> {
  if (!deliversJobs(vendor)) throw new Error(`Deliveries of ${vendor.name} are not deleted.`);
  const { type, date } = delivery;
  const sorting = vendor.sorting(delivery, { take: 'all', read: new Map() });
  const markers: string[] = [];
  const parts: StoredFile[] = [];
  for await (const page of store.list(vendor.prefix(type, date), { depth: vendor.depth, signal })) {
    for (const file of page.files) {
      const { kind } = sorting.sort(file);
      if (kind === 'marker') markers.push(file.key);
      if (kind === 'part') parts.push(file);
    }
  }
  const keys = [...markers, ...parts.map(({ key }) => key)];
  return vendor.deliveries.mayBeComplete(keys) ? undefined : parts;
}
