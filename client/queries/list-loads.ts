import type pg from 'pg';

export interface ListedLoad {
  readonly load: string;
  readonly state: string;
  /** Of a load that is visible or was: all that readers saw with it. */
  readonly files: number;
  /** Of them, those that were visible before; only where files come one by one. */
  readonly filesKept: number;
  readonly filesStaged: number;
  readonly bytes: number;
  /** parsed = loaded + quarantined + duplicate + conflicting + superseded. */
  readonly parsed: number;
  readonly loaded: number;
  readonly quarantined: number;
  readonly duplicate: number;
  /** Rows that contradict others of the delivery, and lost. */
  readonly conflicting: number;
  /** Rows of which another delivery has a newer copy. */
  readonly superseded: number;
  readonly reason: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

type Counted =
  | 'files'
  | 'kept'
  | 'files_staged'
  | 'bytes'
  | 'parsed'
  | 'loaded'
  | 'quarantined'
  | 'duplicate'
  | 'rows_conflicting'
  | 'rows_superseded';

interface Row extends Readonly<Record<Counted, string>> {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly started_at: Date;
  readonly ended_at: Date | null;
}

/** Loads of a delivery, the newest first. While one is staged, its files say how far it has come. */
export async function listLoads(pool: pg.Pool, delivery: string): Promise<ListedLoad[]> {
  const { rows } = await pool.query<Row>(
    `select l.id, l.files, l.kept, l.bytes, l.started_at, l.ended_at,
            case when l.state = 'staging' and l.held_at is not null then 'held' else l.state end as state,
            case when l.state = 'staging' then coalesce(l.held_reason, l.reason) else l.reason end as reason,
            l.rows_conflicting, l.rows_superseded,
            case when l.state = 'replaced' then l.files - l.kept else f.staged end as files_staged,
            case when l.state = 'staging' then f.parsed else l.rows_parsed end as parsed,
            case when l.state = 'staging' then f.loaded else l.rows_loaded end as loaded,
            case when l.state = 'staging' then f.quarantined else l.rows_quarantined end as quarantined,
            case when l.state = 'staging' then f.duplicate else l.rows_duplicate end as duplicate
     from landfall.load l
     cross join lateral (
       select count(staged_at) filter (where batch is not null) as staged,
              coalesce(sum(rows_parsed), 0) as parsed,
              coalesce(sum(rows_loaded), 0) as loaded,
              coalesce(sum(rows_quarantined), 0) as quarantined,
              coalesce(sum(rows_duplicate), 0) as duplicate
       from landfall.load_file
       where load_id = l.id
     ) f
     where l.delivery_id = $1
     order by l.id desc`,
    [delivery],
  );
  return rows.map((row) => ({
    load: row.id,
    state: row.state,
    files: Number(row.files),
    filesKept: Number(row.kept),
    filesStaged: Number(row.files_staged),
    bytes: Number(row.bytes),
    parsed: Number(row.parsed),
    loaded: Number(row.loaded),
    quarantined: Number(row.quarantined),
    duplicate: Number(row.duplicate),
    conflicting: Number(row.rows_conflicting),
    superseded: Number(row.rows_superseded),
    reason: row.reason,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  }));
}
