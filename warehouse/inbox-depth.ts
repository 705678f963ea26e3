import type pg from 'pg';

import type { InboxDepth } from '../model/inbox.js';

/** How much of what was received for a source is not in its tables yet, and is no failed delivery's. */
export async function inboxDepth(pool: pg.Pool, source: string): Promise<InboxDepth> {
  const { rows } = await pool.query<{ bodies: string; bytes: string; oldest: string | null }>(
    `select count(*) as bodies, coalesce(sum(bytes), 0) as bytes, extract(epoch from min(received_at)) * 1000 as oldest
     from (
       select bytes, received_at from landfall.inbox where source = $1 and delivery_id is null
       union all
       select i.bytes, i.received_at
       from landfall.delivery d join landfall.inbox i on i.delivery_id = d.id
       where d.source = $1 and d.finality in ('waiting', 'loading', 'provisional')
     ) as unseen`,
    [source],
  );
  const { bodies = '0', bytes = '0', oldest = null } = rows[0] ?? {};
  return {
    bodies: Number(bodies),
    bytes: Number(bytes),
    ...(oldest === null ? {} : { oldest: Number(oldest) }),
  };
}
