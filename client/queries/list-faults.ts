import type pg from 'pg';

export interface FaultyFile {
  readonly file: string;
  readonly parsed: number;
  /** Rows of it in quarantine, for whatever reason. */
  readonly quarantined: number;
  /** Null where the file was left out. */
  readonly firstError: string | null;
  readonly firstErrorLine: number | null;
  /** Why it cannot be read and was left out of the load. */
  readonly unreadable: string | null;
}

/** Files of a load that were left out or have rows in quarantine, in key order. */
export async function listFaultyFiles(pool: pg.Pool, load: string, limit: number): Promise<FaultyFile[]> {
  const { rows } = await pool.query<{
    readonly key: string;
    readonly rows_parsed: string;
    readonly in_quarantine: string;
    readonly first_error: string | null;
    readonly first_error_line: string | null;
    readonly unreadable: string | null;
  }>(
    `select f.key, lf.rows_parsed, lf.rows_quarantined + lf.rows_conflicting as in_quarantine, lf.first_error, lf.first_error_line, lf.unreadable
     from landfall.load_file lf
     join landfall.file f on f.id = lf.file_id
     where lf.load_id = $1 and (lf.first_error is not null or lf.unreadable is not null)
     order by f.key, f.id
     limit $2`,
    [load, limit],
  );
  return rows.map((row) => ({
    file: row.key,
    parsed: Number(row.rows_parsed),
    quarantined: Number(row.in_quarantine),
    firstError: row.first_error,
    firstErrorLine: row.first_error_line === null ? null : Number(row.first_error_line),
    unreadable: row.unreadable,
  }));
}

export interface QuarantinedRow {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** The rows themselves stay in the database: they may hold what is not for a screen. */
export async function listQuarantined(pool: pg.Pool, load: string, limit: number): Promise<QuarantinedRow[]> {
  const { rows } = await pool.query<{ readonly key: string; readonly line: string; readonly reason: string }>(
    `select f.key, q.line, q.reason
     from landfall.quarantine q
     join landfall.file f on f.id = q.file_id
     where q.load_id = $1
     order by f.key, f.id, q.line
     limit $2`,
    [load, limit],
  );
  return rows.map(({ key, line, reason }) => ({ file: key, line: Number(line), reason }));
}
