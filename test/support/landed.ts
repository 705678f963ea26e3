import assert from 'node:assert/strict';

import type pg from 'pg';

/** What is in a source's tables and in the ledger, in a form that is equal for two loads of the same files. */
export interface Landed {
  /** By table and column: the number of rows, and a digest over the column's values in the order of file and line. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Files of the published loads by key: parsed, loaded, quarantined, duplicate, conflicting, superseded. */
  readonly files: readonly string[];
  readonly quarantine: readonly string[];
  /** Published loads: rows parsed, loaded, quarantined, duplicate, conflicting and superseded. */
  readonly loads: readonly string[];
  readonly deliveries: readonly string[];
}

export async function landed(pool: pg.Pool): Promise<Landed> {
  const lines = async (sql: string): Promise<string[]> =>
    (await pool.query<{ line: string }>(`select concat_ws(' | ', ${sql}`)).rows.map((row) => row.line);
  return {
    tables: Object.fromEntries(
      await Promise.all(
        (await dataTables(pool)).map(async (table) => [table, await digests(pool, table)] as const),
      ),
    ),
    files: await lines(
      `d.type, d.date, f.key, f.version, lf.rows_parsed, lf.rows_loaded, lf.rows_quarantined, lf.rows_duplicate,
         lf.rows_conflicting, lf.rows_superseded, lf.first_error_line, lf.first_error) as line
       from landfall.load l join landfall.delivery d on d.id = l.delivery_id
       join landfall.load_file lf on lf.load_id = l.id join landfall.file f on f.id = lf.file_id
       where l.state = 'published' order by f.key collate "C"`,
    ),
    quarantine: await lines(
      `f.key, q.line, q.reason, q.raw) as line
       from landfall.quarantine q join landfall.file f on f.id = q.file_id order by f.key collate "C", q.line`,
    ),
    loads: await lines(
      `d.type, d.date, l.fingerprint, l.files, l.bytes, l.rows_parsed, l.rows_loaded, l.rows_quarantined,
         l.rows_duplicate, l.rows_conflicting, l.rows_superseded) as line
       from landfall.load l join landfall.delivery d on d.id = l.delivery_id
       where l.state = 'published' order by d.type, d.date`,
    ),
    deliveries: await lines(
      `type, date, finality, paused, published_at is not null) as line from landfall.delivery order by type, date`,
    ),
  };
}

/** Tables of the source's schema that hold rows of files. */
async function dataTables(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = '_file_id'
     where c.relnamespace = 'experiments'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     order by 1`,
  );
  return rows.map(({ name }) => name);
}

async function digests(pool: pg.Pool, table: string): Promise<Record<string, string>> {
  const columns = await pool.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and attname <> '_file_id' order by 1`,
    [`experiments.${table}`],
  );
  // A line may hold several rows of a table.
  const nested = columns.rows.some(({ name }) => name === 'ordinal') ? ', t.ordinal' : '';
  const digest = (value: string): string =>
    `md5(string_agg(coalesce(${value}::text, '∅'), E'\\n' order by f.key collate "C", t._line${nested}))`;
  const digested = columns.rows.map(({ name }) => `${digest(`t."${name}"`)} as "${name}"`);
  const { rows } = await pool.query<Record<string, string>>(
    `select count(*) as rows, ${[digest('f.key') + ' as file', ...digested].join(', ')}
     from experiments."${table}" t join landfall.file f on f.id = t._file_id`,
  );
  return rows[0] ?? {};
}

/** What must hold of every source at rest, however its loads went. A line may hold rows of several tables. */
export async function assertConsistent(pool: pg.Pool): Promise<void> {
  const all = (await dataTables(pool)).map((table) => `select _file_id, _line from experiments."${table}"`);
  const allRows = `(${all.join(' union all ')})`;
  const empty = async (what: string, sql: string): Promise<void> =>
    assert.deepEqual((await pool.query(sql)).rows, [], what);
  await empty(
    'a load whose counts do not add up',
    `select * from landfall.load l
     where state = 'published'
       and (rows_parsed, rows_loaded, rows_quarantined, rows_duplicate, rows_conflicting, rows_superseded) is distinct from
         (select (coalesce(sum(rows_parsed), 0)::bigint, coalesce(sum(rows_loaded), 0)::bigint,
                  coalesce(sum(rows_quarantined), 0)::bigint, coalesce(sum(rows_duplicate), 0)::bigint,
                  coalesce(sum(rows_conflicting), 0)::bigint, coalesce(sum(rows_superseded), 0)::bigint)
          from landfall.load_file where load_id = l.id)`,
  );
  await empty(
    'a file whose rows are not those that the ledger says',
    `select lf.load_id, f.key, lf.rows_loaded, t.rows from landfall.load l
     join landfall.load_file lf on lf.load_id = l.id join landfall.file f on f.id = lf.file_id
     left join (select _file_id, count(distinct _line) as rows from ${allRows} r group by 1) t on t._file_id = f.id
     where l.state = 'published' and lf.rows_loaded <> coalesce(t.rows, 0)`,
  );
  await empty(
    'a file whose rows that others superseded are not those that the ledger says',
    `select lf.load_id, lf.file_id, lf.rows_superseded, s.rows from landfall.load l
     join landfall.load_file lf on lf.load_id = l.id
     full join (select file_id, sum(rows) as rows from landfall.superseded group by 1) s on s.file_id = lf.file_id
     where coalesce(l.state, 'published') = 'published' and coalesce(lf.rows_superseded, 0) <> coalesce(s.rows, 0)`,
  );
  await empty(
    'a row of a file that no published load has',
    `select r._file_id, count(*) from ${allRows} r
     where not exists (select from landfall.load l join landfall.load_file lf on lf.load_id = l.id
                       where l.state = 'published' and lf.file_id = r._file_id)
     group by 1`,
  );
  await empty(
    'a quarantine that does not hold what the ledger counts',
    `select lf.load_id, lf.file_id, lf.rows_quarantined, lf.rows_conflicting, count(q.line) from landfall.load_file lf
     join landfall.load l on l.id = lf.load_id and l.state = 'published'
     left join landfall.quarantine q on q.load_id = lf.load_id and q.file_id = lf.file_id
     group by 1, 2, 3 having lf.rows_quarantined + lf.rows_conflicting <> count(q.line)`,
  );
  await empty(
    'a load that is still being staged, though nothing runs',
    `select id, state from landfall.load where state = 'staging'`,
  );
  await empty(
    'a staging table that is left over',
    `select tablename from pg_tables where schemaname = 'landfall_staging'`,
  );
}
