import type pg from 'pg';

export interface ListedNotice {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
  /** Null while nobody has acknowledged it, like the next two. */
  readonly acknowledgedAt: string | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedReason: string | null;
}

/** All notices of a delivery, oldest first. */
export async function listNotices(pool: pg.Pool, delivery: string): Promise<ListedNotice[]> {
  const { rows } = await pool.query<{
    readonly at: Date;
    readonly kind: string;
    readonly text: string;
    readonly acknowledged_at: Date | null;
    readonly acknowledged_by: string | null;
    readonly acknowledged_reason: string | null;
  }>(
    `select at, kind, text, acknowledged_at, acknowledged_by, acknowledged_reason
     from landfall.notice
     where delivery_id = $1
     order by id`,
    [delivery],
  );
  return rows.map((row) => ({
    at: row.at.toISOString(),
    kind: row.kind,
    text: row.text,
    acknowledgedAt: row.acknowledged_at?.toISOString() ?? null,
    acknowledgedBy: row.acknowledged_by,
    acknowledgedReason: row.acknowledged_reason,
  }));
}
