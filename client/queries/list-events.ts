import type pg from 'pg';

export interface ListedEvent {
  readonly at: string;
  /** `finality`, `signal:pause`, … */
  readonly kind: string;
  readonly finality: string;
  readonly reason: string | null;
}

/** What happened to a delivery and what people asked for, oldest first. */
export async function listEvents(pool: pg.Pool, delivery: string): Promise<ListedEvent[]> {
  const { rows } = await pool.query<Omit<ListedEvent, 'at'> & { readonly at: Date }>(
    `select at, kind, finality, reason
     from landfall.delivery_event
     where delivery_id = $1
     order by id`,
    [delivery],
  );
  return rows.map(({ at, kind, finality, reason }) => ({ at: at.toISOString(), kind, finality, reason }));
}
