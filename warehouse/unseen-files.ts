import type pg from 'pg';

/** How many of these files readers do not see at this very version. */
export async function countUnseen(
  pool: pg.Pool,
  source: string,
  files: readonly { readonly key: string; readonly version: string }[],
): Promise<number> {
  const { rows } = await pool.query<{ unseen: string }>(
    `select count(*) as unseen
     from unnest($2::text[], $3::text[]) as asked (key, version)
     where not exists (
       select 1
       from landfall.file f
       join landfall.load_file lf on lf.file_id = f.id
       join landfall.load l on l.id = lf.load_id and l.state = 'published'
       where f.source = $1 and f.key = asked.key and f.version = asked.version
     )`,
    [source, files.map(({ key }) => key), files.map(({ version }) => version)],
  );
  return Number(rows[0]?.unseen ?? 0);
}
