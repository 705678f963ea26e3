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
  /** Notices of any of its versions that nobody has acknowledged, oldest first. */
  readonly notices: readonly OpenNotice[];
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
  /** Rows that readers see; null when there are none of this delivery. */
  readonly rows: number | null;
  /** Of the visible load, or of the last one where none is visible. */
  readonly quarantined: number | null;
  readonly duplicates: number | null;
  /** Rows that contradict others of the delivery, and lost. */
  readonly conflicting: number | null;
  /** Rows of which another delivery has a newer copy. */
  readonly superseded: number | null;
}

export interface OpenNotice {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}

/** A delivery; or several of a day and finality, by the newest of them, with the sums of their counts. */
export interface DeliveryLine extends ListedDelivery {
  readonly deliveries: number;
}

interface Row {
  readonly deliveries: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly date: string;
  readonly finality: Finality;
  readonly since: Date;
  readonly paused: boolean;
  readonly reason: string | null;
  readonly notice: string | null;
  readonly notices: readonly OpenNotice[];
  readonly held: string | null;
  readonly trouble: string | null;
  readonly wish: string | null;
  readonly wished_at: Date | null;
  readonly wish_reason: string | null;
  readonly refusal: string | null;
  readonly deadline: Date | null;
  readonly published_at: Date | null;
  readonly loaded: string | null;
  readonly quarantined: string | null;
  readonly duplicate: string | null;
  readonly conflicting: string | null;
  readonly superseded: string | null;
}

/** Deliveries as the ledger has them, newest day first. */
export async function listDeliveries(pool: pg.Pool, filter: DeliveryFilter): Promise<ListedDelivery[]> {
  return (await select(pool, filter, [])).map(listed);
}

/**
 * The same for people to look at: those of the given sources, of which there may be thousands a day, are one line a day and
 * finality. One that people should know something of stays by itself.
 */
export async function sumUpDeliveries(
  pool: pg.Pool,
  filter: DeliveryFilter,
  sources: readonly string[],
): Promise<DeliveryLine[]> {
  const rows = await select(pool, filter, sources);
  return rows.map((row) => ({ ...listed(row), deliveries: Number(row.deliveries) }));
}

async function select(
  pool: pg.Pool,
  { source, from, to, ids }: DeliveryFilter,
  summedUp: readonly string[],
): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `with found as (
       select d.*,
              case when l.state = 'published' then l.rows_loaded end as loaded,
              l.rows_quarantined as quarantined, l.rows_duplicate as duplicate,
              l.rows_conflicting as conflicting,
              case when l.state = 'published' then l.rows_superseded end as superseded,
              case when d.source = any ($5) and d.trouble is null and d.wish is null and d.refusal is null
                and d.held is null and not exists (
                  select from landfall.notice n where n.delivery_id = d.id and n.acknowledged_at is null
                ) then null else d.id end as by_itself
       from landfall.delivery d
       left join lateral (
         select state, rows_loaded, rows_quarantined, rows_duplicate, rows_conflicting, rows_superseded
         from landfall.load
         where delivery_id = d.id
         order by state = 'published' desc, id desc
         limit 1
       ) l on true
       where ($1::text is null or d.source = $1)
         and ($2::date is null or d.date >= $2)
         and ($3::date is null or d.date <= $3)
         and ($4::text[] is null or d.id = any ($4))
     ), line as (
       select count(*) as deliveries, (array_agg(id order by since desc, id))[1] as newest, min(id) as place,
              sum(loaded) as loaded, sum(quarantined) as quarantined, sum(duplicate) as duplicate,
              sum(conflicting) as conflicting, sum(superseded) as superseded
       from found
       group by source, type, date, finality, paused, by_itself
     )
     select line.*, id, source, type, date::text as date, finality, since, paused, reason, notice, held,
            trouble, wish, wished_at, wish_reason, refusal, deadline, published_at, n.notices
     from line
     join landfall.delivery d on d.id = line.newest
     cross join lateral (
       select coalesce(jsonb_agg(jsonb_build_object('at', at, 'kind', kind, 'text', text) order by id), '[]') as notices
       from landfall.notice
       where delivery_id = d.id and acknowledged_at is null
     ) n
     order by d.date desc, source, type, place`,
    [source ?? null, from ?? null, to ?? null, ids ?? null, summedUp],
  );
  return rows;
}

function listed(row: Row): ListedDelivery {
  const count = (text: string | null): number | null => (text === null ? null : Number(text));
  return {
    delivery: row.id,
    source: row.source,
    type: row.type,
    date: row.date,
    finality: row.finality,
    since: row.since.toISOString(),
    paused: row.paused,
    reason: row.reason,
    notice: row.notice,
    notices: row.notices.map(({ at, ...notice }) => ({ at: new Date(at).toISOString(), ...notice })),
    held: row.held,
    trouble: row.trouble,
    wish: row.wish,
    wishedAt: row.wished_at?.toISOString() ?? null,
    wishReason: row.wish_reason,
    refusal: row.refusal,
    deadline: row.deadline?.toISOString() ?? null,
    publishedAt: row.published_at?.toISOString() ?? null,
    rows: count(row.loaded),
    quarantined: count(row.quarantined),
    duplicates: count(row.duplicate),
    conflicting: count(row.conflicting),
    superseded: count(row.superseded),
  };
}
