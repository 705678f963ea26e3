import type pg from 'pg';

/** Those of the sources that nothing can be put into the inbox for. Throws where there is no inbox. */
export async function unpreparedSources(pool: pg.Pool, sources: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ readonly name: string }>(
    `select wanted.name
     from unnest($1::text[]) as wanted (name)
     left join landfall.source s on s.name = wanted.name
     where s.name is null and not exists (select from landfall.inbox where false)
     order by wanted.name`,
    [sources],
  );
  return rows.map(({ name }) => name);
}
