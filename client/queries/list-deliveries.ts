import type pg from 'pg';

import type { Finality } from '../../model/delivery.js';

export interface DeliveryFilter {
  readonly source: string | undefined;
  /** Days, both included. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Only these. */
  readonly ids?: readonly string[];
}

export interface ListedDelivery {
  readonly delivery: string;
  readonly source: string;
  readonly type: string;
  readonly date: string;
  readonly finality: Finality;
  readonly since: string;
  readonly paused: boolean;
  readonly reason: string | null;
  /** What people should know of the visible rows. */
  readonly notice: string | null;
  readonly deadline: string | null;
  readonly publishedAt: string | null;
  /** Rows that readers see; null when there are none of this delivery. */
  readonly rows: number | null;
  /** Of the visible load, or of the last one where none is visible. */
  readonly quarantined: number | null;
  readonly duplicates: number | null;
}

interface Row {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly date: string;
  readonly finality: Finality;
  readonly since: Date;
  readonly paused: boolean;
  readonly reason: string | null;
  readonly notice: string | null;
  readonly deadline: Date | null;
  readonly published_at: Date | null;
  readonly state: string | null;
  readonly rows_loaded: string | null;
  readonly rows_quarantined: string | null;
  readonly rows_duplicate: string | null;
}

/** Deliveries as the ledger has them, newest day first. */
export async function listDeliveries(pool: pg.Pool, filter: DeliveryFilter): Promise<ListedDelivery[]> {
  const { rows } = await pool.query<Row>(
    `select d.id, d.source, d.type, d.date::text as date, d.finality, d.since, d.paused, d.reason, d.notice, d.deadline,
            d.published_at, l.state, l.rows_loaded, l.rows_quarantined, l.rows_duplicate
     from landfall.delivery d
     left join lateral (
       select state, rows_loaded, rows_quarantined, rows_duplicate
       from landfall.load
       where delivery_id = d.id
       order by state = 'published' desc, id desc
       limit 1
     ) l on true
     where ($1::text is null or d.source = $1)
       and ($2::date is null or d.date >= $2)
       and ($3::date is null or d.date <= $3)
       and ($4::text[] is null or d.id = any($4))
     order by d.date desc, d.source, d.type, d.id`,
    [filter.source ?? null, filter.from ?? null, filter.to ?? null, filter.ids ?? null],
  );
  return rows.map((row) => ({
    delivery: row.id,
    source: row.source,
    type: row.type,
    date: row.date,
    finality: row.finality,
    since: row.since.toISOString(),
    paused: row.paused,
    reason: row.reason,
    notice: row.notice,
    deadline: row.deadline?.toISOString() ?? null,
    publishedAt: row.published_at?.toISOString() ?? null,
    rows: row.state === 'published' ? Number(row.rows_loaded) : null,
    quarantined: row.rows_quarantined === null ? null : Number(row.rows_quarantined),
    duplicates: row.rows_duplicate === null ? null : Number(row.rows_duplicate),
  }));
}
