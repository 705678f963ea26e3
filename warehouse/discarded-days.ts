import type pg from 'pg';

/** Days (`YYYY-MM-DD`) of deliveries of a source's type that their vendor's rule has discarded after an instant (epoch ms). */
export async function discardedDays(
  pool: pg.Pool,
  source: string,
  type: string,
  after: number,
): Promise<string[]> {
  const { rows } = await pool.query<{ date: string }>(
    `select distinct to_char(date, 'YYYY-MM-DD') as date
     from landfall.delivery
     where source = $1 and type = $2 and finality = 'discarded' and by_rule and since > to_timestamp($3 / 1000.0)`,
    [source, type, after],
  );
  return rows.map(({ date }) => date);
}
