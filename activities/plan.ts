import type { Delivery } from '../model/delivery.js';
import { Failure, failureTypes } from '../model/failure.js';
import type { Store } from '../stores/store.js';
import type { Marker, Take } from '../vendors/completion.js';
import type { ReadTexts, Sorting } from '../vendors/vendor.js';
import { batchRows, type BatchRows } from '../warehouse/batch-rows.js';
import { planLoad, type LoadPlan } from '../warehouse/plan-load.js';
import type { BatchLimits, PlannedFile } from '../warehouse/plan-request.js';
import type { Dependencies, OpenSource } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { lookAt } from './look.js';
import { targetOf } from './target.js';

export interface PlanStep {
  readonly delivery: Delivery;
  /** Names this load: repeating the step finds the same one. */
  readonly request: string;
  readonly force: boolean;
  /** Absent when a person accepted the delivery without it. */
  readonly marker?: Marker;
  /** Which parts, where manifests list them: `listed` unless said otherwise. */
  readonly take?: Take;
  /** Epoch ms: files that were written later are left for another load. */
  readonly upTo?: number;
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

export function createPlan(deps: Dependencies) {
  const { pool, source, batchLimits = measuredLimits } = deps;
  return async function plan(step: PlanStep): Promise<Plan> {
    const opened = source(step.delivery.source);
    const { config, vendor } = opened;
    const seen = { files: 0, ignored: 0 };
    return withHeartbeat(
      () => ({ listed: seen.files + seen.ignored }),
      async (signal) => {
        const read = vendor.hasManifests
          ? await readManifests(deps, opened, step, signal)
          : new Map<string, never>();
        const { take = 'listed', upTo } = step;
        const sorting = vendor.sorting(step.delivery, { take, read, upTo });
        const load = await planLoad(
          pool,
          {
            deliveryId: step.delivery.id,
            source: step.delivery.source,
            target: targetOf(config, vendor, step.delivery),
            request: step.request,
            force: step.force,
            marker: () => (sorting.marker ? sorting.marker() : step.marker),
            newness: (file) => sorting.newness(file),
            files: listParts(opened, step, sorting, seen, signal),
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

/** What its manifests say now. Throws `FileChanged` where that is not what it was seen to be when this was asked for. */
async function readManifests(
  deps: Dependencies,
  opened: OpenSource,
  { delivery, marker, take }: PlanStep,
  signal: AbortSignal,
): Promise<ReadTexts> {
  const at = { now: Date.now(), pollEvery: opened.config.pollEvery };
  const { sighting, read } = await lookAt(deps, opened, delivery, at, signal, () => undefined);
  const same = sighting.marker?.version === marker?.version;
  if (same && (take === 'all' || sighting.whole === true)) return read;
  throw new Failure(
    failureTypes.fileChanged,
    `The files of ${delivery.id} are no longer those that were seen: a manifest was written anew, or a file that it ` +
      `lists is gone. It is looked at again.`,
  );
}

/**
 * Pages of a delivery's parts: hidden files, markers and folders are passed over and counted. Throws `FileChanged` at the
 * end of a listing that does not show the marker as it was seen when this was asked for; and where nothing is listed and
 * no marker says that this is right, of a listing without any part that another one does not bear out: rows that readers
 * see never make way for a single false answer.
 */
async function* listParts(
  opened: OpenSource,
  { delivery, marker }: PlanStep,
  sorting: Sorting,
  seen: { files: number; ignored: number },
  signal: AbortSignal,
): AsyncGenerator<readonly PlannedFile[]> {
  let there: Marker | undefined;
  for await (const page of listingOf(opened, delivery, signal)) {
    const parts: PlannedFile[] = [];
    for (const file of page.files) {
      if (file.key === marker?.key) there = { key: file.key, version: file.version };
      const what = sorting.sort(file);
      if (what.kind !== 'part') continue;
      parts.push({ ...file, partitionValue: what.partitionValue });
    }
    seen.files += parts.length;
    seen.ignored += page.files.length - parts.length;
    yield parts;
  }
  if (marker !== undefined) checkMarker(opened, delivery, marker, there ?? sorting.marker?.());
  else if (seen.files === 0) await checkEmpty(opened, delivery, sorting, signal);
}

function listingOf(
  { vendor, storeOf }: OpenSource,
  delivery: Delivery,
  signal: AbortSignal,
): ReturnType<Store['list']> {
  const { type, date } = delivery;
  return storeOf(delivery).list(vendor.prefix(type, date), { depth: vendor.depth, signal });
}

/** Of manifests the marker's version tells of several files: these are compared when they are read. */
function checkMarker(
  { vendor }: OpenSource,
  delivery: Delivery,
  seen: Marker,
  there: Marker | undefined,
): void {
  if (there !== undefined && (vendor.hasManifests || there.version === seen.version)) return;
  const how =
    there === undefined
      ? `the store does not list ${seen.key} any more`
      : `${seen.key} was version ${seen.version} and is version ${there.version}`;
  throw new Failure(
    failureTypes.fileChanged,
    `The files of ${delivery.id} are no longer those that were seen: ${how}. It is looked at again.`,
  );
}

async function checkEmpty(
  opened: OpenSource,
  delivery: Delivery,
  sorting: Sorting,
  signal: AbortSignal,
): Promise<void> {
  for await (const page of listingOf(opened, delivery, signal)) {
    const part = page.files.find((file) => sorting.sort(file).kind === 'part');
    if (part === undefined) continue;
    throw new Failure(
      failureTypes.fileChanged,
      `The files of ${delivery.id} are no longer those that were seen: the store listed none of them, and ${part.key} ` +
        `right after that. It is looked at again.`,
    );
  }
}
