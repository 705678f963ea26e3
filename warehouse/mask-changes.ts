/** By which mask rules rows are loaded, and which of those that readers see were loaded by others. */

import type pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { abandonLoad } from './plan-load.js';
import { transaction } from './transaction.js';

/** Sets the rules of a source, by their digest: what is staged from now on is masked by these. Returns whether others held. */
export async function setMask(pool: pg.Pool, source: string, digest: string): Promise<boolean> {
  const { rows } = await pool.query<{ changed: boolean }>(
    `update landfall.source s
     set mask_digest = $2, mask_changed_at = case when before.mask_digest is null then null else now() end
     from landfall.source before
     where s.name = $1 and before.name = s.name and before.mask_digest is distinct from $2
     returning before.mask_digest is not null as changed`,
    [source, digest],
  );
  return rows[0]?.changed ?? false;
}

/**
 * Throws unless rows of a load may be masked by rules with this digest.
 *
 * `MasksDiffer`: other rules were set last. The step is tried again, so that a worker with those takes it. `LoadSuperseded`:
 * files of the load were staged by rules that no longer hold; it is given up, so that it is planned again.
 */
export async function requireMask(
  pool: pg.Pool,
  source: string,
  loadId: string,
  digest: string,
): Promise<void> {
  const superseded = await transaction(pool, async (client) => {
    await client.query(
      `update landfall.source set mask_digest = $2 where name = $1 and mask_digest is null`,
      [source, digest],
    );
    const { rows } = await client.query<{ set: string; own: string | null; delivery: string; state: string }>(
      `select s.mask_digest as set, l.mask_digest as own, l.delivery_id as delivery, l.state
       from landfall.source s, landfall.load l
       where s.name = $1 and l.id = $2 for no key update of l`,
      [source, loadId],
    );
    const load = rows[0];
    // Whoever stages says what has become of it.
    if (load?.state !== 'staging') return undefined;
    if (load.set !== digest) {
      throw new Failure(
        failureTypes.masksDiffer,
        `This worker's mask rules or maskKey of source ${source} are not those that 'landfall setup' has set last, so it ` +
          `stages nothing of delivery ${load.delivery}. The step is tried again until a worker with those rules takes it: ` +
          `restart workers with the current configuration. If this worker's configuration is the current one, run ` +
          `'landfall setup' with it.`,
      );
    }
    if (load.own === digest) return undefined;
    if (load.own === null) {
      await client.query('update landfall.load set mask_digest = $2 where id = $1', [loadId, digest]);
      return undefined;
    }
    const reason = `Files of load ${loadId} of delivery ${load.delivery} were staged by mask rules that no longer hold.`;
    await abandonLoad(client, loadId, reason);
    return new Failure(failureTypes.loadSuperseded, `${reason} The delivery is planned again.`);
  });
  if (superseded) throw superseded;
}

/** Deliveries that readers see and whose rows were masked by other rules than these: how many, and the newest of them. */
export interface MaskedOtherwise {
  readonly deliveries: number;
  /** Ids, at most three. */
  readonly newest: readonly string[];
}

export async function maskedOtherwise(
  pool: pg.Pool,
  source: string,
  digest: string,
): Promise<MaskedOtherwise> {
  const { rows } = await pool.query<{ id: string; deliveries: string }>(
    `select d.id, count(*) over () as deliveries
     from landfall.delivery d join landfall.load l on l.delivery_id = d.id and l.state = 'published'
     where d.source = $1 and l.mask_digest is distinct from $2
       -- Of nothing there is nothing to mask: a load without rows was never staged.
       and (l.mask_digest is not null or l.rows_parsed > 0)
     order by d.date desc, d.id limit 3`,
    [source, digest],
  );
  return { deliveries: Number(rows[0]?.deliveries ?? 0), newest: rows.map(({ id }) => id) };
}

/** The rules that were set last; undefined where none were. */
export async function maskOf(pool: pg.Pool, source: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ digest: string | null }>(
    'select mask_digest as digest from landfall.source where name = $1',
    [source],
  );
  return rows[0]?.digest ?? undefined;
}
