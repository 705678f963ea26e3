import type pg from 'pg';

import type { BatchLimits, PlanRequest } from './plan-request.js';
import { keepVisible, writeFiles, writeListing, writeUnreadable, type Listing } from './planned-files.js';
import { patientTransaction } from './session.js';
import { sweepQuarantine } from './sweep-quarantine.js';
import { createStaging, dropStaging } from './staging-tables.js';
import { transaction } from './transaction.js';

export interface LoadPlan {
  readonly loadId: string;
  /** All files that were listed. */
  readonly files: number;
  /** Of these, those that are not staged, for readers see them already. Only where files come one by one. */
  readonly kept?: number;
  readonly bytes: number;
  /** Of the files to stage. */
  readonly batches: number;
  /** The very same files are what readers see already: nothing to do. */
  readonly published: boolean;
}

/** Numbers files into batches in the order they come: a step is several small files, or one large one. */
export function batcher(limits: BatchLimits): (size: number) => number {
  let batch = 0;
  let files = 0;
  let bytes = 0;
  return (size) => {
    if (files > 0 && (files >= limits.files || bytes + size > limits.bytes)) {
      batch += 1;
      files = 0;
      bytes = 0;
    }
    files += 1;
    bytes += size;
    return batch;
  };
}

/**
 * Writes the plan of a load into the ledger: its files and their batches; and makes its staging tables. Where files come
 * one by one, those that readers see are kept and not staged, unless by force.
 *
 * A load that is being staged from the very same files is joined, whoever began it, so that two workers with the same
 * delivery help each other; one from other files is given up. The delivery's row lock makes planning, publishing and
 * discarding take turns.
 */
export async function planLoad(pool: pg.Pool, plan: PlanRequest, signal?: AbortSignal): Promise<LoadPlan> {
  const work = async (client: pg.ClientBase): Promise<LoadPlan> => {
    await client.query(patientTransaction);
    const listed = await writeListing(client, plan);
    await client.query('select 1 from landfall.delivery where id = $1 for no key update', [plan.deliveryId]);
    await sweepQuarantine(client, plan);
    const { rows } = await client.query<LoadRow>(
      `select id, request, fingerprint, state, files, kept, bytes, batches, masked_so
       from landfall.load l cross join lateral (
         select l.mask_digest is null or l.mask_digest = s.mask_digest as masked_so
         from landfall.source s where s.name = $4
       ) masks
       where delivery_id = $1
         and (state in ('staging', 'published') or request = $2 or starts_with(request, $3))
       order by id desc`,
      [plan.deliveryId, plan.request, `${plan.request}/after-`, plan.source],
    );
    // The latest load of this request: the files of the earlier ones had changed when the step was repeated.
    const asked = rows.find(
      ({ request }) => request === plan.request || request.startsWith(`${plan.request}/after-`),
    );
    if (asked?.state === 'published' && sameFiles(asked, listed)) return toPlan(plan, asked, true);
    if (asked?.state === 'staging' && sameFiles(asked, listed) && asked.masked_so) {
      return toPlan(plan, asked, false);
    }
    const published = rows.find((row) => row.state === 'published');
    if (published && !plan.force && sameFiles(published, listed)) return toPlan(plan, published, true);
    const staging = rows.find((row) => row.state === 'staging');
    if (staging && !plan.force && sameFiles(staging, listed) && staging.masked_so) {
      return toPlan(plan, staging, false);
    }
    if (staging) await abandonLoad(client, staging.id, 'Given up for a newer plan of the same delivery.');
    const request = asked ? `${plan.request}/after-${asked.id}` : plan.request;
    if (plan.target.adds !== true || !published) return createLoad(client, plan, listed, request);
    // Rows of one delivery are masked by the same rules.
    const kept = plan.force || !published.masked_so ? 0 : await keepVisible(client, published.id);
    const load = await createLoad(client, plan, { ...listed, kept }, request);
    await writeUnreadable(client, load.loadId, published.id);
    return load;
  };
  return transaction(pool, work, signal);
}

interface LoadRow {
  readonly id: string;
  readonly request: string;
  readonly fingerprint: string;
  readonly state: string;
  readonly files: number;
  readonly kept: number;
  readonly bytes: string;
  readonly batches: number;
  /** Its rows are masked by the rules that were set last, or none are yet. */
  readonly masked_so: boolean;
}

function sameFiles(load: LoadRow, listing: Listing): boolean {
  return load.fingerprint === listing.fingerprint;
}

function toPlan({ target }: PlanRequest, load: LoadRow, published: boolean): LoadPlan {
  return {
    loadId: load.id,
    files: load.files,
    ...(target.adds === true ? { kept: load.kept } : {}),
    bytes: Number(load.bytes),
    batches: load.batches,
    published,
  };
}

async function createLoad(
  client: pg.ClientBase,
  plan: PlanRequest,
  listing: Listing,
  request: string,
): Promise<LoadPlan> {
  const marker = plan.marker();
  const { rows } = await client.query<{ id: string }>(
    `insert into landfall.load
       (delivery_id, request, fingerprint, state, marker_key, marker_version, files, kept, bytes, mask_digest)
     values ($1, $2, $3, 'staging', $4, $5, $6, $7, $8,
       -- What it stages has to be masked as what it keeps is.
       (select mask_digest from landfall.load where delivery_id = $1 and state = 'published' and $7 > 0))
     returning id`,
    [
      plan.deliveryId,
      request,
      listing.fingerprint,
      marker?.key ?? null,
      marker?.version ?? null,
      listing.files,
      listing.kept,
      listing.bytes,
    ],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('insert returned no row');
  const batches = await writeFiles(client, id, batcher(plan.limits), plan.newness ?? (() => ''));
  const planned = await client.query<LoadRow>(
    `update landfall.load set batches = $2 where id = $1
     returning id, request, fingerprint, state, files, kept, bytes, batches, true as masked_so`,
    [id, batches],
  );
  const load = planned.rows[0];
  if (!load) throw new Error('update returned no row');
  await createStaging(client, id, plan.target);
  return toPlan(plan, load, false);
}

/** Drops what was staged; the ledger keeps the load with its reason. Nothing happens to a load that is not staging. */
export async function abandonLoad(
  client: pg.ClientBase,
  loadId: string,
  reason: string,
  state: 'abandoned' | 'rejected' | 'discarded' = 'abandoned',
): Promise<void> {
  const { rowCount } = await client.query(
    `update landfall.load set state = $2, reason = $3, ended_at = now() where id = $1 and state = 'staging'`,
    [loadId, state, reason],
  );
  if (rowCount !== 1) return;
  await client.query(
    `update landfall.delivery set held = null
     where held is not null and id = (select delivery_id from landfall.load where id = $1)`,
    [loadId],
  );
  await dropStaging(client, loadId);
  // Of a rejected load they are the reason.
  if (state !== 'rejected')
    await client.query('delete from landfall.quarantine where load_id = $1', [loadId]);
}
