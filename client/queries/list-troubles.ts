import type pg from 'pg';

/** A step that fails and is tried again, or has failed for good. */
export interface ListedTrouble {
  readonly workflow: string;
  readonly step: string;
  /** Null where it belongs to no delivery. */
  readonly delivery: string | null;
  /** The last error, the number of attempts and when the next one is, as a sentence. */
  readonly reason: string;
  readonly attempts: number;
}

export interface TroubleFilter {
  readonly source?: string | undefined;
  /** Only of these. */
  readonly workflows?: readonly string[];
  /** Only those that belong to no delivery of the ledger. */
  readonly apart?: boolean;
}

export async function listTroubles(pool: pg.Pool, filter: TroubleFilter): Promise<ListedTrouble[]> {
  const { source, workflows, apart = false } = filter;
  const { rows } = await pool.query<ListedTrouble>(
    `select workflow_id as workflow, step, delivery_id as delivery, reason, attempts
     from landfall.trouble t
     where ($1::text is null or source = $1)
       and ($2::text[] is null or workflow_id = any ($2))
       and (not $3 or not exists (select from landfall.delivery d where d.id = t.delivery_id))
     order by workflow_id, at desc`,
    [source ?? null, workflows ?? null, apart],
  );
  return rows;
}
