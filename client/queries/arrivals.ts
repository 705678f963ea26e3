import type pg from 'pg';

/** What of a source lies in the inbox. */
export interface Arrivals {
  readonly bodies: number;
  /** Lines of them that are neither blank nor say where the next one goes. */
  readonly documents: number;
  readonly newest: Date;
  /** Bodies that are in no delivery yet. */
  readonly waiting: number;
  /** Ids of the deliveries that the others are in. */
  readonly deliveries: readonly string[];
}

/** Undefined where nothing of the source lies there. */
export async function readArrivals(pool: pg.Pool, source: string): Promise<Arrivals | undefined> {
  const { rows } = await pool.query<Arrivals & { readonly newest: Date | null }>(
    `select count(*)::int as bodies, coalesce(sum(documents), 0)::int as documents, max(received_at) as newest,
            count(*) filter (where delivery_id is null)::int as waiting,
            coalesce(array_agg(distinct delivery_id) filter (where delivery_id is not null), '{}') as deliveries
     from landfall.inbox
     where source = $1`,
    [source],
  );
  const [found] = rows;
  return found === undefined || found.newest === null ? undefined : found;
}

/** When the newest body of a source came; also of one that is no longer kept. Undefined where none has come. */
export async function readNewestArrival(pool: pg.Pool, source: string): Promise<Date | undefined> {
  const { rows } = await pool.query<{ newest: Date | null }>(
    `select greatest(
       (select received_at from landfall.inbox where source = $1 order by id desc limit 1),
       (select max(published_at) from landfall.delivery where source = $1)
     ) as newest`,
    [source],
  );
  return rows[0]?.newest ?? undefined;
}
