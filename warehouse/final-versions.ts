import type pg from 'pg';

export interface FinalVersion {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** Version of the file that readers see the rows of. */
  readonly version: string;
}

/** Days of a source's type that became final after an instant (epoch ms), by the version of what was loaded. */
export async function finalVersions(
  pool: pg.Pool,
  source: string,
  type: string,
  after: number,
): Promise<FinalVersion[]> {
  const { rows } = await pool.query<FinalVersion>(
    `select to_char(d.date, 'YYYY-MM-DD') as date, l.marker_version as version
     from landfall.delivery d join landfall.load l on l.delivery_id = d.id and l.state = 'published'
     where d.source = $1 and d.type = $2 and d.finality = 'final' and d.since > to_timestamp($3 / 1000.0)
       and l.marker_version is not null
     order by d.date`,
    [source, type, after],
  );
  return rows;
}
