import type pg from 'pg';

/**
 * How many of these files of a source readers do not see: those that are in no published load, or were left out of it as
 * unreadable, at this very version. Thousands of files are one query.
 */
export async function countUnseen(
  pool: pg.Pool,
  source: string,
  files: readonly { readonly key: string; readonly version: string }[],
): Promise<number> {
  const { rows } = await pool.query<{ unseen: string }>(
    `select count(*) as unseen
     from unnest($2::text[], $3::text[]) as asked (key, version)
     where not exists (
       select from landfall.file f
       join landfall.load_file lf on lf.file_id = f.id and lf.unreadable is null
       join landfall.load l on l.id = lf.load_id and l.state = 'published'
       where f.source = $1 and f.key = asked.key and f.version = asked.version
     )`,
    [source, files.map(({ key }) => key), files.map(({ version }) => version)],
  );
  return Number(rows[0]?.unseen);
}
