/** Deliveries that were gathered from a source's inbox. */

import type pg from 'pg';

import type { Delivery } from '../model/delivery.js';

/**
 * Those that have not come to rest, or of which a person asked for something that is not done yet, besides the ones given,
 * in the order in which their bodies came; at most `most`.
 */
export async function unsettledBatches(
  pool: pg.Pool,
  source: string,
  { known, most, finalities = ['waiting', 'loading', 'provisional'] }: UnsettledBatches,
): Promise<Delivery[]> {
  const { rows } = await pool.query<Delivery>(
    `select id, source, type, to_char(date, 'YYYY-MM-DD') as date
     from landfall.delivery d
     where source = $1
       and (finality in ('waiting', 'loading', 'provisional') and finality = any($2) or wish is not null)
       and id <> all($3::text[])
     order by d.date, created_at, length(id), id limit $4`,
    [source, finalities, known, most],
  );
  return rows;
}

export interface UnsettledBatches {
  readonly known: readonly string[];
  readonly most: number;
  readonly finalities?: readonly ('waiting' | 'loading' | 'provisional')[];
}

export async function countFailed(pool: pg.Pool, source: string): Promise<number> {
  const { rows } = await pool.query<{ failed: string }>(
    `select count(*) as failed from landfall.delivery where source = $1 and finality = 'failed'`,
    [source],
  );
  return Number(rows[0]?.failed ?? 0);
}

/** Whether bodies wait to be gathered, or deliveries to be begun. */
export async function somethingWaits(
  pool: pg.Pool,
  source: string,
): Promise<{ readonly bytes: number } | undefined> {
  const { rows } = await pool.query<{ bytes: string; bodies: string; deliveries: boolean }>(
    `select coalesce(sum(bytes), 0) as bytes, count(*) as bodies,
            exists (select from landfall.delivery
                    where source = $1 and finality in ('waiting', 'loading', 'provisional') and finality = 'waiting') as deliveries
     from landfall.inbox where source = $1 and delivery_id is null`,
    [source],
  );
  const { bytes = '0', bodies = '0', deliveries = false } = rows[0] ?? {};
  return bodies !== '0' || deliveries ? { bytes: Number(bytes) } : undefined;
}
