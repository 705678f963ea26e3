import type pg from 'pg';

/** What was brought into staging, over all attempts. */
export interface BatchRows {
  readonly files: number;
  readonly bytes: number;
  readonly parsed: number;
  readonly loaded: number;
  readonly quarantined: number;
}

export interface StagedRows {
  readonly staged: BatchRows;
  /** The first batch with a file that is not staged; absent when all are. */
  readonly nextBatch?: number;
}

/** Sums the staged files of one batch of a load, or of the batches before the first that is not staged as a whole. */
export async function batchRows(pool: pg.Pool, loadId: string, batch?: number): Promise<StagedRows> {
  const { rows } = await pool.query<Record<keyof BatchRows | 'next', string | null>>(
    `with open as (
       select min(batch) as next from landfall.load_file where load_id = $1 and staged_at is null
     )
     select count(*) as files, sum(f.size) as bytes, sum(rows_parsed) as parsed, sum(rows_loaded) as loaded,
            sum(rows_quarantined) as quarantined, (select next from open) as next
     from landfall.load_file lf join landfall.file f on f.id = lf.file_id
     where lf.load_id = $1 and lf.staged_at is not null
       and case when $2::integer is null then lf.batch < coalesce((select next from open), lf.batch + 1)
                else lf.batch = $2 end`,
    [loadId, batch ?? null],
  );
  const sum = (column: keyof BatchRows): number => Number(rows[0]?.[column] ?? 0);
  const next = rows[0]?.next;
  return {
    staged: {
      files: sum('files'),
      bytes: sum('bytes'),
      parsed: sum('parsed'),
      loaded: sum('loaded'),
      quarantined: sum('quarantined'),
    },
    ...(next === null || next === undefined ? {} : { nextBatch: Number(next) }),
  };
}
