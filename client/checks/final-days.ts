/** Whether what readers see as final is what the store holds. */

import type pg from 'pg';

import { auditDeliveries, type Audited, type AuditState } from '../../activities/audit.js';
import { writeDuration } from '../../config/duration.js';
import type { StoredSource } from '../../config/schema.js';
import { openStore } from '../../stores/open.js';
import { vendors } from '../../vendors/registry.js';
import type { Vendor } from '../../vendors/vendor.js';
import { finalDeliveries, type FinalDelivery } from '../../warehouse/final-deliveries.js';
import type { Place } from '../place.js';
import { withLedger } from '../with-ledger.js';
import { reportOn, sentence, type Finding, type PartReport } from './finding.js';

const mostNamed = 3;

/** Compares final deliveries of `auditFor` with the store, as the source's schedule does; and names what is held. */
export async function checkFinalDays(place: Place, source: StoredSource): Promise<readonly Finding[]> {
  const report = reportOn(`store of ${source.name}`);
  try {
    await withLedger(place, async (pool) => {
      await checkHeld(pool, source, report);
      await checkFiles(pool, source, report);
    });
  } catch (error) {
    report.wrong(whatOf(source), `not compared: ${sentence(error)}`, 'Mend that, then check again.');
  }
  return report.findings;
}

function whatOf({ vendor }: StoredSource): string {
  return `final ${vendors[vendor].deliveries.are}`;
}

async function checkHeld(pool: pg.Pool, { name }: StoredSource, report: PartReport): Promise<void> {
  const { rows } = await pool.query<{ readonly id: string }>(
    'select id from landfall.delivery where source = $1 and held is not null order by date desc, id',
    [name],
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return;
  report.wrong(
    'held versions',
    `${ids.length === 1 ? 'a version waits' : `${ids.length} versions wait`} for a person: ${named(ids)}`,
    `'landfall show ${ids[0]}' says why; then accept, reprocess or skip it.`,
  );
}

async function checkFiles(pool: pg.Pool, source: StoredSource, report: PartReport): Promise<void> {
  const { name, types, auditFor } = source;
  const vendor: Vendor = vendors[source.vendor];
  const what = whatOf(source);
  if (auditFor === 0) {
    report.ok(what, 'not compared with the store: auditFor is 0');
    return;
  }
  const now = Date.now();
  const finals = new Map<string, readonly FinalDelivery[]>();
  for (const type of types) {
    finals.set(type, await finalDeliveries(pool, { source: name, type, after: now - auditFor }));
  }
  const acknowledged = await acknowledgedAsGone(pool, name);
  const audited: Audited[] = [];
  const store = openStore(source);
  try {
    for (const [type, deliveries] of finals) {
      audited.push(...(await auditDeliveries(pool, { vendor, store }, type, deliveries, now)));
    }
  } catch (error) {
    report.wrong(
      what,
      sentence(error),
      'They could not be compared with the store: mend that, then check again.',
    );
    return;
  } finally {
    await store.close();
  }
  const differing = audited.filter(
    ({ delivery, state }) => state !== 'same' && !(state === 'gone' && acknowledged.has(delivery.id)),
  );
  if (differing.length === 0) {
    const count = audited.length.toLocaleString('en-US');
    report.ok(what, `${count} of the last ${writeDuration(auditFor)} are as they were loaded`);
  }
  for (const state of ['changed', 'held', 'unmarked', 'gone'] as const) {
    const ids = differing.filter((one) => one.state === state).map(({ delivery }) => delivery.id);
    if (ids.length > 0)
      report.wrong(what, `${phrases[state].found}: ${named(ids)}`, phrases[state].mend(ids[0] ?? ''));
  }
}

/** Of which somebody knows that nothing lies there any more. */
async function acknowledgedAsGone(pool: pg.Pool, source: string): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ readonly id: string }>(
    `select n.delivery_id as id
     from landfall.notice n join landfall.delivery d on d.id = n.delivery_id
     where d.source = $1 and n.kind = 'gone' and n.acknowledged_at is not null`,
    [source],
  );
  return new Set(rows.map(({ id }) => id));
}

const phrases: Readonly<
  Record<Exclude<AuditState, 'same'>, { readonly found: string; readonly mend: (id: string) => string }>
> = {
  changed: {
    found: 'files in the store are others than were loaded',
    mend: (id) =>
      `The source's schedule loads them again when it comes to them; 'landfall reprocess ${id}' does so now.`,
  },
  held: {
    found: 'files in the store are others than were loaded, and nobody accepted them',
    mend: (id) => `'landfall reprocess ${id}' looks at them again.`,
  },
  unmarked: {
    found: 'files in the store are others than were loaded, and their marker is away',
    mend: () => 'They are loaded again once the marker is back; where it stays away, ask the vendor.',
  },
  gone: {
    found: 'files are no longer in the store, so that they could not be loaded again',
    mend: (id) => `Where that is as it should be: 'landfall acknowledge ${id}', or a shorter auditFor.`,
  },
};

function named(ids: readonly string[]): string {
  const more = ids.length - mostNamed;
  return `${ids.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
