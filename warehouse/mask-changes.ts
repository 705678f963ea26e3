/** Whether rows that readers see were masked by the rules that hold now. */

import type pg from 'pg';

/** Remembers by which rules a source is loaded. Returns whether they were others before; one caller is told so. */
export async function noteMask(pool: pg.Pool, source: string, digest: string): Promise<boolean> {
  const { rows } = await pool.query<{ changed: boolean }>(
    `update landfall.source
     set mask_digest = $2, mask_changed_at = case when mask_digest is null then null else now() end
     where name = $1 and mask_digest is distinct from $2
     returning mask_changed_at is not null as changed`,
    [source, digest],
  );
  return rows[0]?.changed ?? false;
}

/** How many deliveries readers see that were loaded by other rules than these. */
export async function deliveriesMaskedBefore(pool: pg.Pool, source: string, digest: string): Promise<number> {
  const { rows } = await pool.query<{ deliveries: string }>(
    `select count(*) as deliveries
     from landfall.delivery d join landfall.source s on s.name = d.source
     where s.name = $1 and d.published_at is not null and s.mask_digest is not null
       and (s.mask_digest <> $2 or d.published_at < s.mask_changed_at)`,
    [source, digest],
  );
  return Number(rows[0]?.deliveries);
}
