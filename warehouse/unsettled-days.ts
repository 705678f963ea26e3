import type pg from 'pg';

/**
 * The days of a source's type that have to be taken up, oldest first: of `days` those that the ledger does not know, and
 * every day, asked for or not, that it knows as waiting, loading or provisional.
 */
export async function unsettledDays(
  pool: pg.Pool,
  source: string,
  type: string,
  days: readonly string[],
): Promise<string[]> {
  const { rows } = await pool.query<{ day: string }>(
    `select to_char(asked.day, 'YYYY-MM-DD') as day
     from unnest($3::date[]) as asked (day)
     where not exists (
       select from landfall.delivery d where d.source = $1 and d.type = $2 and d.date = asked.day
     )
     union
     select to_char(d.date, 'YYYY-MM-DD')
     from landfall.delivery d
     where d.source = $1 and d.type = $2 and d.finality in ('waiting', 'loading', 'provisional')
     order by day`,
    [source, type, days],
  );
  return rows.map((row) => row.day);
}
