import type pg from 'pg';

/**
 * Deletes rows of the quarantine that no load needs any more: those of loads that were replaced, given up or discarded. What
 * ends a load deletes them too; a crash may have left some.
 */
export async function sweepQuarantine(
  db: pg.Pool | pg.ClientBase,
  only: { readonly deliveryId?: string } = {},
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from landfall.quarantine q using landfall.load l
     where l.id = q.load_id and l.state not in ('staging', 'published', 'rejected')
       and ($1::text is null or l.delivery_id = $1)`,
    [only.deliveryId ?? null],
  );
  return rowCount ?? 0;
}
