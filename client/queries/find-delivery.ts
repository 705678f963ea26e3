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
  /** What goes wrong with it now, and when it is tried again; or why it could not be loaded again. */
  readonly trouble: string | null;
  /** What a person asked for and is not done yet, since when, and why; null where there is nothing. */
  readonly wish: string | null;
  readonly wishedAt: string | null;
  readonly wishReason: string | null;
  /** Of a delivery whose rows stay final: what could not be done with it, and why. */
  readonly refusal: string | null;
  readonly deadline: string | null;
  readonly publishedAt: string | null;
}

interface Row extends Pick<
  FoundDelivery,
  | 'source'
  | 'type'
  | 'date'
  | 'finality'
  | 'paused'
  | 'reason'
  | 'notice'
  | 'held'
  | 'trouble'
  | 'wish'
  | 'refusal'
> {
  readonly id: string;
  readonly schema_name: string;
  readonly wished_at: Date | null;
  readonly wish_reason: string | null;
  readonly since: Date;
  readonly deadline: Date | null;
  readonly published_at: Date | null;
}

/** One delivery, undefined when the ledger does not know it. */
export async function findDelivery(pool: pg.Pool, id: string): Promise<FoundDelivery | undefined> {
  const { rows } = await pool.query<Row>(
    `select d.id, d.source, s.schema_name, d.type, d.date::text as date, d.finality, d.since, d.paused, d.reason,
            d.notice, d.held, d.trouble, d.wish, d.wished_at, d.wish_reason, d.refusal, d.deadline, d.published_at
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
      trouble: row.trouble,
      wish: row.wish,
      wishedAt: row.wished_at?.toISOString() ?? null,
      wishReason: row.wish_reason,
      refusal: row.refusal,
      deadline: row.deadline?.toISOString() ?? null,
      publishedAt: row.published_at?.toISOString() ?? null,
    }
  );
}
