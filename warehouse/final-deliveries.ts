import type pg from 'pg';

/** A final delivery whose files lie in the store, by what was loaded of it. */
export interface FinalDelivery {
  readonly id: string;
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** The load that readers see. */
  readonly loadId: string;
  /** Digest of its files. */
  readonly fingerprint: string;
  /** Null where it was accepted without a marker. */
  readonly markerVersion: string | null;
  /** Digests of later versions that were held for a person, whatever became of them. */
  readonly held: readonly string[];
}

/** Auditing grows rarer with age: after an eighth of the time since the delivery became final, and 4 hours at the most. */
const auditAge = 8;
const longestPause = '4 hours';

export interface FinalFilter {
  readonly source: string;
  readonly type: string;
  /** Epoch ms: those that became final after that. */
  readonly after: number;
  /** Epoch ms: only those whose audit is due then. */
  readonly dueAt?: number;
}

/** The final deliveries of a source's type, oldest day first. Exports that were asked for are not among them. */
export async function finalDeliveries(
  pool: pg.Pool,
  { source, type, after, dueAt }: FinalFilter,
): Promise<FinalDelivery[]> {
  const { rows } = await pool.query<FinalDelivery>(
    `select d.id, to_char(d.date, 'YYYY-MM-DD') as date, l.id as "loadId", l.fingerprint,
            l.marker_version as "markerVersion",
            array(select h.fingerprint from landfall.load h
                  where h.delivery_id = d.id and h.held_at is not null and h.id > l.id) as held
     from landfall.delivery d join landfall.load l on l.delivery_id = d.id and l.state = 'published'
     where d.source = $1 and d.type = $2 and d.finality = 'final' and d.export_job is null
       and d.since > to_timestamp($3 / 1000.0)
       and ($4::float8 is null or d.audited_at is null or d.audited_at <= to_timestamp($4 / 1000.0) -
            least(greatest(to_timestamp($4 / 1000.0) - d.since, '0') / ${auditAge}, '${longestPause}'))
     order by d.date, d.id`,
    [source, type, after, dueAt ?? null],
  );
  return rows;
}

/** Remembers when deliveries were audited. */
export async function noteAudited(pool: pg.Pool, ids: readonly string[], at: number): Promise<void> {
  if (ids.length === 0) return;
  await pool.query(
    `update landfall.delivery set audited_at = to_timestamp($2 / 1000.0) where id = any($1::text[])`,
    [ids, at],
  );
}
