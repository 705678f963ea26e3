/** Whether the files of final deliveries are still those that were loaded. Cheap: their folders are listed, nothing is read. */

import type pg from 'pg';

import type { SeenFile, Sorting, Vendor } from '../vendors/vendor.js';
import { deliversDays, deliversJobs } from '../vendors/vendor.js';
import { visibleFiles } from '../warehouse/compare-files.js';
import type { FinalDelivery } from '../warehouse/final-deliveries.js';
import { fingerprint } from '../warehouse/planned-files.js';
import type { OpenSource } from './dependencies.js';

/**
 * `changed`: there are other files than were loaded, complete by the vendor's word. `held`: the same, and a person has
 * this version to decide about, or has decided. `unmarked`: others without a marker beside them, perhaps being written.
 * `gone`: there is nothing. Of a day that the vendor no longer keeps anything is as it should be.
 */
export type AuditState = 'same' | 'changed' | 'held' | 'unmarked' | 'gone';

export interface Audited {
  readonly delivery: FinalDelivery;
  readonly state: AuditState;
}

/** Lists each folder once, however many deliveries lie in it. */
export async function auditDeliveries(
  pool: pg.Pool,
  { vendor, store }: Pick<OpenSource, 'vendor' | 'store'>,
  type: string,
  finals: readonly FinalDelivery[],
  now: number,
  signal?: AbortSignal,
): Promise<readonly Audited[]> {
  const audited: Audited[] = [];
  for (const [prefix, group] of byPrefix(vendor, type, finals)) {
    const listings = group.map((delivery) => openListing(vendor, type, delivery));
    const ownerOf = finder(vendor, type, listings);
    for await (const page of store.list(prefix, { depth: vendor.depth, ...(signal ? { signal } : {}) })) {
      for (const file of page.files) ownerOf(file.key)?.see(file);
    }
    for (const listing of listings) {
      const { delivery } = listing;
      audited.push({ delivery, state: await stateOf(pool, vendor, listing, now) });
    }
  }
  return audited;
}

function byPrefix(
  vendor: Vendor,
  type: string,
  finals: readonly FinalDelivery[],
): ReadonlyMap<string, readonly FinalDelivery[]> {
  const groups = new Map<string, FinalDelivery[]>();
  for (const delivery of finals) {
    const prefix = vendor.prefix(type, delivery.date);
    const group = groups.get(prefix);
    if (group) group.push(delivery);
    else groups.set(prefix, [delivery]);
  }
  return groups;
}

interface Listing {
  readonly delivery: FinalDelivery;
  see(file: SeenFile): void;
  readonly parts: Map<string, string> | undefined;
  readonly digest: ReturnType<typeof fingerprint>;
  readonly markers: string[];
}

function openListing(vendor: Vendor, type: string, delivery: FinalDelivery): Listing {
  const source = delivery.id.slice(0, delivery.id.indexOf('/'));
  const { id, date } = delivery;
  const sorting: Sorting = vendor.sorting({ id, source, type, date }, { take: 'all', read: new Map() });
  const digest = fingerprint();
  // A job's are few, and not all of them count; of a day there may be thousands.
  const parts = deliversJobs(vendor) ? new Map<string, string>() : undefined;
  const markers: string[] = [];
  const see = (file: SeenFile): void => {
    const { kind } = sorting.sort(file);
    if (kind === 'marker') markers.push(file.version);
    if (kind !== 'part') return;
    digest.add([file]);
    parts?.set(file.key, file.version);
  };
  return { delivery, see, parts, digest, markers };
}

/** Whose file it is, where several deliveries lie in one folder. */
function finder(
  vendor: Vendor,
  type: string,
  listings: readonly Listing[],
): (key: string) => Listing | undefined {
  const [first] = listings;
  if (deliversDays(vendor)) {
    if (listings.length === 1) return () => first;
    const byDay = new Map(listings.map((listing) => [listing.delivery.date, listing]));
    return (key) => byDay.get(vendor.deliveries.parseDay(type, key) ?? '');
  }
  if (!deliversJobs(vendor)) return () => undefined;
  const byId = new Map(listings.map((listing) => [nameIn(listing.delivery), listing]));
  return (key) => byId.get(vendor.deliveries.parseJob(key) ?? '');
}

/** What the vendor calls it within its source. */
function nameIn({ id }: FinalDelivery): string {
  return id.slice(id.indexOf('/') + 1);
}

/** Whether the vendor still keeps the files of a delivery. */
export function isKept({ deliveries }: Vendor, { date }: FinalDelivery, now: number): boolean {
  return deliveries.are !== 'days' || now < (deliveries.keptUntil?.(date) ?? Infinity);
}

async function stateOf(pool: pg.Pool, vendor: Vendor, listing: Listing, now: number): Promise<AuditState> {
  const { delivery, digest, markers } = listing;
  if (!isKept(vendor, delivery, now)) return 'same';
  const version = digest.version();
  const same = listing.parts ? await isSameJob(pool, listing) : version === delivery.fingerprint;
  if (same) return 'same';
  if (digest.files() === 0 && markers.length === 0) return 'gone';
  if (delivery.held.includes(version)) return 'held';
  return vendor.markerIsApart && markers.length === 0 ? 'unmarked' : 'changed';
}

/** Its manifests, and the shards that were loaded. What no manifest lists does not count. */
async function isSameJob(pool: pg.Pool, { delivery, parts, markers }: Listing): Promise<boolean> {
  const known = delivery.markerVersion?.split(' ') ?? [];
  if (known.sort().join(' ') !== markers.sort().join(' ')) return false;
  const loaded = await visibleFiles(pool, delivery.loadId);
  return [...loaded].every(([key, version]) => parts?.get(key) === version);
}

/**
 * What people should know of a final delivery whose files are not there as they were; undefined where that is nothing. The
 * bucket of a vendor of jobs is the customer's own, who may clear it as he likes.
 */
export function missingText(
  vendor: Vendor,
  { loadId }: FinalDelivery,
  state: AuditState,
): string | undefined {
  const stay = `The rows of its last load (${loadId}) stay visible.`;
  if (state === 'unmarked') {
    return (
      `It is final, and its files in the store are others by now, without their marker. ${stay} They are loaded once ` +
      'the marker is there again.'
    );
  }
  if (state !== 'gone' || deliversJobs(vendor)) return undefined;
  return `It is final, and its files are no longer in the store. ${stay} They could not be loaded again.`;
}
