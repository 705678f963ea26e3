import type pg from 'pg';

import type { InboxDepth } from '../model/inbox.js';

/** What of a source waits in the inbox: bodies without a delivery, and those whose delivery is waiting or loading. */
export async function inboxDepth(pool: pg.Pool, source: string): Promise<InboxDepth> {
  const { rows } = await pool.query<{
    readonly bodies: string;
    readonly bytes: string;
    readonly oldest: Date | null;
  }>(
    `with waiting as (
       select bytes, received_at from landfall.inbox where source = $1 and delivery_id is null
       union all
       select i.bytes, i.received_at
       from landfall.delivery d
       join landfall.inbox i on i.delivery_id = d.id
       where d.source = $1 and d.finality in ('waiting', 'loading')
     )
     select count(*) as bodies, coalesce(sum(bytes), 0) as bytes, min(received_at) as oldest from waiting`,
    [source],
  );
  const [row] = rows;
  const oldest = row?.oldest?.getTime();
  return {
    bodies: Number(row?.bodies),
    bytes: Number(row?.bytes),
    ...(oldest === undefined ? {} : { oldest }),
  };
}
