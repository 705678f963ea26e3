import { deliveryStart, type DeliveryStart } from '../config/delivery-start.js';
import { nameDay } from '../config/name-delivery.js';
import { hasStore, type SourceConfig } from '../config/schema.js';
import type { CarriedDelivery } from '../model/control.js';
import { addDays, dayOf } from '../model/day.js';
import type { Delivery } from '../model/delivery.js';
import { deliversDays, deliversJobs, type DayVendor, type JobVendor } from '../vendors/vendor.js';
import { discardedDays } from '../warehouse/discarded-days.js';
import { failedDeliveries } from '../warehouse/failed-deliveries.js';
import { finalDeliveries, noteAudited } from '../warehouse/final-deliveries.js';
import { noteBack, writeNotices } from '../warehouse/notices.js';
import { unsettledDeliveries } from '../warehouse/unsettled-deliveries.js';
import { auditDeliveries, isKept, missingText } from './audit.js';
import { crowdedTypes } from './day-table.js';
import type { OpenSource, Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { listJobs } from './list-jobs.js';
import { tendInbox } from './tend-inbox.js';

export interface DiscoverStep {
  readonly source: string;
  /** Epoch ms, the workflow's clock. */
  readonly now: number;
}

export interface Discovered {
  readonly starts: readonly DeliveryStart[];
  /** Types whose tables have old days that are to be put together. */
  readonly crowded?: readonly string[];
}

/** At most this many are started at a time, oldest first; the schedule's next run finds the others. */
const mostStarts = 200;
/** Of what was sent so many, since they are merged one after the other. */
const mostBatches = 20;

/** Milliseconds for which a discarded job is looked for again: 60 days, beyond which no vendor of jobs sends anything. */
const comeBackFor = 60 * 86_400_000;

/** Days that may be taken up, both included. */
interface Window {
  readonly first: string;
  readonly last: string;
}

export function createDiscover({ pool, source, client }: Dependencies) {
  /**
   * The deliveries that the store shows, and of days the newest that there has to be, whose absence has to be seen, as
   * far as the ledger does not know them; those that it knows as not settled, should their workflow have ended by
   * accident; those that failed by what may have passed; final ones whose files have changed since, and discarded jobs
   * whose manifests came after all. A source without `since` takes up only new days that may still be waited for: older
   * ones are for backfill. Of a source that its vendor sends to, the inbox is tended.
   */
  return async function discover(step: DiscoverStep): Promise<Discovered> {
    const opened = source(step.source);
    const { config, vendor } = opened;
    const last = dayOf(step.now);
    const window = { first: config.since ?? addDays(dayOf(step.now - config.giveUpAfter), -1), last };
    const progress = { deliveries: 0, deletedBodies: 0 };
    return withHeartbeat(
      () => progress,
      async (signal) => {
        if (!hasStore(config)) {
          const deleted = (bodies: number): void => void (progress.deletedBodies += bodies);
          const begun = await tendInbox({ pool, client }, config, step.now, deleted, signal);
          const starts = begun.map((delivery) => deliveryStart(config, delivery, step.now));
          return { starts: await withFailed(config, starts, step.now, mostBatches) };
        }
        const starts: DeliveryStart[] = [];
        for (const type of config.types) {
          const found: Delivery[] = [];
          if (deliversJobs(vendor)) {
            found.push(...(await newJobs({ ...opened, vendor }, type, window, step.now, signal)));
          }
          if (deliversDays(vendor)) {
            found.push(...(await newDays({ ...opened, vendor }, type, window, signal)));
          }
          const changed = await changedDeliveries(opened, type, step.now, signal);
          found.push(...changed.filter(({ id }) => !found.some((known) => known.id === id)));
          progress.deliveries += found.length;
          starts.push(...found.map((delivery) => deliveryStart(config, delivery, step.now)));
        }
        // The store answers: what it refused before may come through now.
        const all = await withFailed(config, starts, step.now, mostStarts);
        all.sort((a, b) => a.input.date.localeCompare(b.input.date));
        const crowded = await crowdedTypes(pool, config, vendor);
        return { starts: all.slice(0, mostStarts), ...(crowded.length === 0 ? {} : { crowded }) };
      },
    );
  };

  /** With the deliveries that failed by what may have passed. A final day was to be loaded again, so that is what it begins with. */
  async function withFailed(
    config: SourceConfig,
    starts: DeliveryStart[],
    now: number,
    most: number,
  ): Promise<DeliveryStart[]> {
    const failed = (await failedDeliveries(pool, config.name, most)).map(({ final, ...delivery }) => {
      const start = deliveryStart(config, delivery, now);
      return final ? { ...start, input: { ...start.input, carried: reprocessing(now) } } : start;
    });
    const again = new Set(failed.map(({ workflowId }) => workflowId));
    return [...starts.filter(({ workflowId }) => !again.has(workflowId)), ...failed];
  }

  async function newJobs(
    { config, vendor, store }: OpenSource & { readonly vendor: JobVendor },
    type: string,
    { first, last }: Window,
    now: number,
    signal: AbortSignal,
  ): Promise<Delivery[]> {
    const discarded = new Set(await discardedDays(pool, config.name, type, now - comeBackFor));
    // A day of the vendor's own time zone may be ahead of ours by one.
    const until = addDays(last, 1);
    const wanted = (day: string): boolean => (day >= first && day <= until) || discarded.has(day);
    const jobs = await listJobs(config, vendor, store, type, wanted, signal);
    const asked = jobs.map(({ id, date, mayBeComplete }) => ({ id, date, evenDiscarded: mayBeComplete }));
    return unsettledDeliveries(pool, config.name, type, asked);
  }

  async function newDays(
    opened: OpenSource & { readonly vendor: DayVendor },
    type: string,
    { first, last }: Window,
    signal: AbortSignal,
  ): Promise<Delivery[]> {
    const { config, vendor } = opened;
    const listed = await listDays(opened, type, { first, last }, signal);
    const expected = vendor.deliveries.beginWithDay ? [addDays(last, -1), last] : [addDays(last, -1)];
    const wanted = [...new Set([...listed, ...expected])].filter((day) => day >= first && day <= last);
    const name = (day: string): Delivery => nameDay(config, type, day);
    return unsettledDeliveries(pool, config.name, type, wanted.map(name));
  }

  /** Of the deliveries that became final within `auditFor`, those whose files are others now than were loaded. */
  async function changedDeliveries(
    opened: OpenSource,
    type: string,
    now: number,
    signal: AbortSignal,
  ): Promise<Delivery[]> {
    const { config } = opened;
    if (!('auditFor' in config) || config.auditFor === 0) return [];
    const after = now - config.auditFor;
    const due = await finalDeliveries(pool, { source: config.name, type, after, dueAt: now });
    const audited = await auditDeliveries(pool, opened, type, due, now, signal);
    for (const { delivery, state } of audited) {
      const text = missingText(opened.vendor, delivery, state);
      if (text !== undefined) {
        await writeNotices(pool, delivery.id, delivery.loadId, [{ kind: 'gone', text }]);
      }
    }
    const back = audited.filter(
      ({ delivery, state }) =>
        (state === 'same' || state === 'changed') && isKept(opened.vendor, delivery, now),
    );
    await noteBack(
      pool,
      back.map(({ delivery }) => delivery.id),
      now,
    );
    await noteAudited(
      pool,
      due.map(({ id }) => id),
      now,
    );
    return audited
      .filter(({ state }) => state === 'changed')
      .map(({ delivery: { id, date } }) => ({ id, source: config.name, type, date }));
  }
}

/** What a run hands on that somebody asked to load the delivery again. */
function reprocessing(now: number): CarriedDelivery {
  return { waitingSince: now, force: true, accepted: false, paused: false, looks: 0, loads: 0, notify: [] };
}

/** Days that the store shows. */
async function listDays(
  { vendor: { deliveries }, store }: OpenSource & { readonly vendor: DayVendor },
  type: string,
  { first, last }: Window,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const days = new Set<string>();
  for (const prefix of deliveries.prefixes(type, first, last)) {
    for await (const page of store.list(prefix, { depth: 'level', signal })) {
      for (const name of [...page.folders, ...page.files.map(({ key }) => key)]) {
        const day = deliveries.parseDay(type, name);
        if (day !== undefined) days.add(day);
      }
    }
  }
  return days;
}
