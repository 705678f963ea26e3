import type pg from 'pg';

import type { Delivery } from '../model/delivery.js';

export interface AskedDelivery {
  readonly id: string;
  readonly date: string;
  /** To be taken up, too, when its vendor's rule has discarded it. */
  readonly evenDiscarded?: boolean;
}

/**
 * The deliveries of a source's type that have to be taken up, oldest first: of those asked for, the ones that the ledger
 * does not know, or knows as discarded by its vendor's rule where that is asked for; and all, asked for or not, that it
 * knows as waiting, loading or provisional, of which a person asked for something that is not done yet, or of which a
 * version is held for a person.
 */
export async function unsettledDeliveries(
  pool: pg.Pool,
  source: string,
  type: string,
  asked: readonly AskedDelivery[],
): Promise<Delivery[]> {
  const { rows } = await pool.query<{ id: string; date: string; exportJob: string | null }>(
    `with asked as (
       select * from unnest($3::text[], $4::date[], $5::boolean[]) as a (id, date, even_discarded)
     )
     select id, to_char(date, 'YYYY-MM-DD') as date, null as "exportJob"
     from asked
     where not exists (select from landfall.delivery d where d.id = asked.id)
     union all
     select d.id, to_char(d.date, 'YYYY-MM-DD'), d.export_job
     from landfall.delivery d
     left join asked on asked.id = d.id
     where d.source = $1 and d.type = $2
       and (d.finality in ('waiting', 'loading', 'provisional') or d.wish is not null or d.held is not null
            or d.finality = 'discarded' and d.by_rule and asked.even_discarded)
     order by date, id`,
    [
      source,
      type,
      asked.map(({ id }) => id),
      asked.map(({ date }) => date),
      asked.map(({ evenDiscarded = false }) => evenDiscarded),
    ],
  );
  return rows.map(({ id, date, exportJob }) => ({
    ...{ id, source, type, date },
    ...(exportJob === null ? {} : { exportJob }),
  }));
}
