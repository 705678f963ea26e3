import { nameJob } from '../config/name-delivery.js';
import type { SourceConfig } from '../config/schema.js';
import type { Delivery } from '../model/delivery.js';
import type { Store } from '../stores/store.js';
import type { JobVendor } from '../vendors/vendor.js';

/** A job that the store shows. */
export interface ListedJob extends Delivery {
  /** Whether its files may be all that the vendor completes it with. */
  readonly mayBeComplete: boolean;
}

/** The jobs in the folders of the wanted days, as the store shows them: newest folder first, by name within it. */
export async function listJobs(
  config: SourceConfig,
  vendor: JobVendor,
  store: Store,
  type: string,
  wanted: (day: string) => boolean,
  signal: AbortSignal,
): Promise<ListedJob[]> {
  const { deliveries } = vendor;
  const days = new Set<string>();
  for await (const page of store.list(deliveries.typePrefix(type), { depth: 'level', signal })) {
    for (const folder of page.folders) {
      const day = deliveries.parseDay(type, folder);
      if (day !== undefined && wanted(day)) days.add(day);
    }
  }
  const found: ListedJob[] = [];
  for (const date of [...days].sort().reverse()) {
    const keys = new Map<string, string[]>();
    for await (const page of store.list(vendor.prefix(type, date), { depth: vendor.depth, signal })) {
      for (const { key } of page.files) {
        const job = deliveries.parseJob(key);
        if (job === undefined) continue;
        const files = keys.get(job);
        if (files) files.push(key);
        else keys.set(job, [key]);
      }
    }
    for (const [name, files] of keys) {
      const mayBeComplete = deliveries.mayBeComplete(files);
      found.push({ ...nameJob(config, type, date, name), mayBeComplete });
    }
  }
  return found;
}
