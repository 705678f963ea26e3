import type pg from 'pg';

import type { Finality } from '../../model/delivery.js';

export interface FoundDelivery {
  readonly delivery: string;
  readonly source: string;
  readonly schema: string;
  readonly type: string;
  readonly date: string;
  readonly finality: Finality;
  readonly since: string;
  readonly paused: boolean;
  readonly reason: string | null;
  /** What people should know of the visible rows. */
  readonly notice: string | null;
  /** Why a version of it is held for a person; null where none is. */
  readonly held: string | null;
  readonly deadline: string | null;
  readonly publishedAt: string | null;
}

interface Row extends Pick<
  FoundDelivery,
  'source' | 'type' | 'date' | 'finality' | 'paused' | 'reason' | 'notice' | 'held'
> {
  readonly id: string;
  readonly schema_name: string;
  readonly since: Date;
  readonly deadline: Date | null;
  readonly published_at: Date | null;
}

/** One delivery, undefined when the ledger does not know it. */
export async function findDelivery(pool: pg.Pool, id: string): Promise<FoundDelivery | undefined> {
  const { rows } = await pool.query<Row>(
    `select d.id, d.source, s.schema_name, d.type, d.date::text as date, d.finality, d.since, d.paused, d.reason,
            d.notice, d.held, d.deadline, d.published_at
     from landfall.delivery d
     join landfall.source s on s.name = d.source
     where d.id = $1`,
    [id],
  );
  const row = rows[0];
  return (
    row && {
      delivery: row.id,
      source: row.source,
      schema: row.schema_name,
      type: row.type,
      date: row.date,
      finality: row.finality,
      since: row.since.toISOString(),
      paused: row.paused,
      reason: row.reason,
      notice: row.notice,
      held: row.held,
      deadline: row.deadline?.toISOString() ?? null,
      publishedAt: row.published_at?.toISOString() ?? null,
    }
  );
}
