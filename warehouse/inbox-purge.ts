import type pg from 'pg';

export interface Purged {
  readonly deliveries: number;
  readonly bodies: number;
}

/**
 * Deletes the bodies of deliveries that came to rest as final, skipped or discarded at an instant (epoch ms) or earlier; at
 * most so many deliveries. A delivery's go together, so that one that is loaded again is never loaded in part. Those of
 * failed deliveries, of unfinished ones and of no delivery stay, however old they are.
 */
export async function purgeInbox(
  pool: pg.Pool,
  source: string,
  before: number,
  most: number,
): Promise<Purged> {
  const { rows } = await pool.query<{ deliveries: number; bodies: number }>(
    `with old as (
       select distinct i.delivery_id as id
       from landfall.inbox i join landfall.delivery d on d.id = i.delivery_id
       where i.source = $1 and i.received_at <= to_timestamp($2 / 1000.0) and ${atRest('to_timestamp($2 / 1000.0)')}
       limit $3
     ), held as (
       -- One that is being planned, published or discarded is left for the next time.
       select d.id from landfall.delivery d
       where d.id in (select id from old) and ${atRest('to_timestamp($2 / 1000.0)')}
       for no key update skip locked
     ), gone as (
       delete from landfall.inbox i using held where i.delivery_id = held.id returning i.delivery_id
     )
     select count(distinct delivery_id)::integer as deliveries, count(*)::integer as bodies from gone`,
    [source, before, most],
  );
  return rows[0] ?? { deliveries: 0, bodies: 0 };
}

function atRest(instant: string): string {
  return `(d.finality = 'final' and d.published_at <= ${instant}
           or d.finality in ('skipped', 'discarded') and d.since <= ${instant})
          and not exists (select from landfall.load l where l.delivery_id = d.id and l.state = 'staging')`;
}
