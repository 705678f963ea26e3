/** What is in the tables and in the ledger, in a form that is equal for two runs over the same exports. */

import type pg from 'pg';

import { sources, type Exports } from './exports.js';

/** By what is compared: its rows, and a digest of them. */
export type Content = Readonly<Record<string, string>>;

/** Reads the content once everything has landed; throws before that, with what is missing. */
export async function readContent(pool: pg.Pool, exports: Exports): Promise<Content> {
  const missing = await whatIsMissing(pool, exports);
  if (missing !== undefined) throw new Error(missing);
  const content: Record<string, string> = {};
  for (const { schema, table } of await dataTables(pool)) {
    content[`${schema}.${table}`] = await digest(
      pool,
      // A batch of Dynatrace holds what came by then: its files and lines differ from run to run.
      schema === 'dynatrace'
        ? `select (to_jsonb(t) - '_file_id' - '_line')::text as line from ${schema}."${table}" t`
        : `select (to_jsonb(t) - '_file_id' || jsonb_build_object('key', f.key))::text as line
           from ${schema}."${table}" t join landfall.file f on f.id = t._file_id`,
    );
  }
  content['quarantine'] = await digest(
    pool,
    `select concat_ws(' ', f.key, q.line, q.reason, q.raw) as line
     from landfall.quarantine q join landfall.load l on l.id = q.load_id and l.state = 'published'
     join landfall.file f on f.id = q.file_id where f.source <> '${sources.dynatrace}'`,
  );
  const counts = await rowCounts(pool);
  // `accept` may end a day early of which nothing is there.
  content['ledger'] = await listing(
    pool,
    `select concat_ws(' ', d.id, d.finality, l.files, ${counts}) as line
     from landfall.delivery d join landfall.load l on l.delivery_id = d.id and l.state = 'published'
     where d.source <> '${sources.dynatrace}' and (d.id = any ($1) or l.files > 0) order by d.id`,
    [exports.final],
  );
  content['ledger of dynatrace'] = await listing(
    pool,
    `select concat_ws(' ', 'loaded', sum(l.rows_loaded)) as line
     from landfall.delivery d join landfall.load l on l.delivery_id = d.id and l.state = 'published'
     where d.source = '${sources.dynatrace}'`,
  );
  return content;
}

async function whatIsMissing(pool: pg.Pool, exports: Exports): Promise<string | undefined> {
  const { rows } = await pool.query<{ missing: string }>(
    `select 'delivery ' || wanted.id || ' is ' || coalesce(d.finality, 'not there') || coalesce(': ' || d.reason, '') as missing
     from unnest($1::text[]) as wanted (id) left join landfall.delivery d on d.id = wanted.id
     where d.finality is distinct from 'final' or d.published_at is null or d.paused
     union all
     select 'load ' || id || ' of ' || delivery_id || ' is being staged' from landfall.load where state = 'staging'
     union all
     select 'the last version of the podcasts is not visible' where not exists (
       select from landfall.load where state = 'published' and strpos(marker_version, $2) > 0)
     union all
     select 'files of visits that are not visible' where $3 <> (
       select count(*) from landfall.load l join landfall.delivery d on d.id = l.delivery_id and d.source = $4
       join landfall.load_file lf on lf.load_id = l.id where l.state = 'published')
     union all
     select 'a body in the inbox that is not final' where exists (
       select from landfall.inbox i left join landfall.delivery d on d.id = i.delivery_id
       where d.finality is distinct from 'final')
     union all
     select 'user sessions' where $5 <> (select count(*) from dynatrace.user_session)`,
    [exports.final, exports.lastMetrics, exports.visitFiles, sources.monetate, exports.userSessions],
  );
  return rows[0]?.missing;
}

async function dataTables(pool: pg.Pool): Promise<readonly { schema: string; table: string }[]> {
  const { rows } = await pool.query<{ schema: string; table: string }>(
    `select n.nspname as schema, c.relname as table
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join landfall.source s on s.schema_name = n.nspname
     join pg_attribute a on a.attrelid = c.oid and a.attname = '_file_id'
     where c.relkind in ('r', 'p') and not c.relispartition order by 1, 2`,
  );
  return rows;
}

/** The ledger's counts of a load, by the columns that it has. */
async function rowCounts(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = 'landfall.load'::regclass and attname like 'rows\\_%' and not attisdropped order by 1`,
  );
  return rows.map(({ name }) => `'${name}', l.${name}`).join(', ');
}

async function digest(pool: pg.Pool, lines: string): Promise<string> {
  const { rows } = await pool.query<{ rows: string; digest: string | null }>(
    `select count(*) as rows, md5(string_agg(line, E'\\n' order by line collate "C")) as digest from (${lines}) lines`,
  );
  return `${rows[0]?.rows ?? 0} rows ${rows[0]?.digest ?? ''}`;
}

async function listing(pool: pg.Pool, lines: string, values: readonly unknown[] = []): Promise<string> {
  return (await pool.query<{ line: string }>(lines, [...values])).rows.map(({ line }) => line).join('\n');
}
