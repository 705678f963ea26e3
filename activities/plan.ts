import type { Delivery } from '../model/delivery.js';
import type { Store } from '../stores/store.js';
import type { Marker } from '../vendors/completion.js';
import type { Vendor } from '../vendors/vendor.js';
import { batchRows, type BatchRows } from '../warehouse/batch-rows.js';
import { planLoad, type BatchLimits, type LoadPlan, type PlannedFile } from '../warehouse/plan-load.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { targetOf } from './target.js';

export interface PlanStep {
  readonly delivery: Delivery;
  /** Names this load: repeating the step finds the same one. */
  readonly request: string;
  readonly force: boolean;
  /** Absent when a person accepted the delivery without it. */
  readonly marker?: Marker;
}

export interface Plan extends LoadPlan {
  /** First batch that is not staged yet, and what the earlier ones brought. */
  readonly nextBatch: number;
  readonly staged: BatchRows;
  /** Objects below the day that are no parts. */
  readonly ignored: number;
}

/**
 * 20,000 parts are 80 steps of 250 files, under 1,000 events of history; a day of large parts is steps of one file, so
 * that several are loaded at the same time.
 */
const measuredLimits: BatchLimits = { files: 250, bytes: 32 * 1024 * 1024 };

export function createPlan({ pool, source, batchLimits = measuredLimits }: Dependencies) {
  return async function plan(step: PlanStep): Promise<Plan> {
    const { config, vendor, store } = source(step.delivery.source);
    const seen: Seen = { files: 0, ignored: 0, marker: step.marker };
    return withHeartbeat(
      () => ({ listed: seen.files + seen.ignored }),
      async (signal) => {
        const load = await planLoad(
          pool,
          {
            deliveryId: step.delivery.id,
            source: step.delivery.source,
            target: targetOf(config, vendor, step.delivery),
            request: step.request,
            force: step.force,
            marker: () => seen.marker,
            files: listParts(vendor, store, step.delivery, seen, signal),
            limits: batchLimits,
          },
          signal,
        );
        const { nextBatch, staged } = await batchRows(pool, load.loadId);
        return { ...load, nextBatch: nextBatch ?? load.batches, staged, ignored: seen.ignored };
      },
    );
  };
}

interface Seen {
  files: number;
  ignored: number;
  /** Where the marker is itself a part, at the version that is loaded, which may be newer than the one that was seen. */
  marker: Marker | undefined;
}

/** Pages of a day's parts: hidden files, markers and folders are passed over and counted. */
async function* listParts(
  vendor: Vendor,
  store: Store,
  { type, date }: Delivery,
  seen: Seen,
  signal: AbortSignal,
): AsyncGenerator<readonly PlannedFile[]> {
  for await (const page of store.list(vendor.prefix(type, date), { depth: vendor.depth, signal })) {
    const parts: PlannedFile[] = [];
    for (const file of page.files) {
      const what = vendor.classify(file.key, type, date);
      if (what.kind !== 'part') continue;
      parts.push({ ...file, partitionValue: what.partitionValue });
      if (file.key === seen.marker?.key) seen.marker = { key: file.key, version: file.version };
    }
    seen.files += parts.length;
    seen.ignored += page.files.length - parts.length;
    yield parts;
  }
}
