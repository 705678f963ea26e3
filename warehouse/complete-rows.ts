/** Completing staged rows: what is taken from other rows of the delivery, and numbers. */

import pg from 'pg';

import type { Completion, Lookup } from '../vendors/table.js';
import { stagingNames } from './names.js';
import type { Target } from './target.js';

/** Columns that are empty until a row is completed. */
export function completedColumns({ ordinal, lookup }: Completion): readonly string[] {
  return [...(lookup?.takes.map(({ name }) => name) ?? []), ordinal];
}

/**
 * Completes the rows of a load's staging tables, within the transaction that publishes it. A row that needs another and
 * does not find it goes into the quarantine, and its file counts it there.
 */
export async function completeRows(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  const lost = new Map<string, number>();
  for (const completion of target.completes ?? []) {
    const { table } = stagingNames(loadId, completion.table);
    const { rowCount } = await client.query(
      `select from ${table} where ${pg.escapeIdentifier(completion.ordinal)} is null limit 1`,
    );
    if (rowCount === 0) continue;
    for (const { file, rows } of await completeTable(client, loadId, target, completion)) {
      lost.set(file, Number(rows) + (lost.get(file) ?? 0));
    }
  }
  // Last, since an attempt to stage that nobody waits for may hold one of the tables: it comes to the ledger after that.
  if (lost.size > 0) await countLost(client, loadId, lost);
}

interface Lost {
  readonly file: string;
  readonly rows: string;
}

/** Writes the table anew, in one statement, in place of the one that was staged. */
async function completeTable(
  client: pg.ClientBase,
  loadId: string,
  target: Target,
  completion: Completion,
): Promise<readonly Lost[]> {
  const staged = stagingNames(loadId, completion.table);
  const completed = stagingNames(loadId, `${completion.table}_completed`);
  const columns = await columnsOf(client, staged.table);
  const { rows: counted } = await client.query<{ rows: string }>(
    `select count(*) as rows from ${staged.table}`,
  );
  const { rowCount } = await client.query(
    `create unlogged table ${completed.table} as ${completedRows(loadId, target, completion, columns)}`,
  );
  const lost =
    rowCount === Number(counted[0]?.rows) ? [] : await quarantine(client, loadId, completion, columns);
  await client.query(`drop table ${staged.table}`);
  await client.query(`alter table ${completed.table} rename to ${staged.name}`);
  return lost;
}

async function columnsOf(client: pg.ClientBase, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped
     order by attnum`,
    [table],
  );
  return rows.map(({ name }) => name);
}

/** Query for the rows of a table as they are to be, without those that lack the row they need. */
function completedRows(
  loadId: string,
  target: Target,
  { table, ordinal, lookup }: Completion,
  columns: readonly string[],
): string {
  const isOpen = `s.${quote(ordinal)} is null`;
  const column = (name: string): string => {
    const taken = lookup?.takes.find((take) => take.name === name);
    if (taken === undefined || lookup === undefined) return `s.${quote(name)}`;
    const value = taken.as === 'presence' ? isFound(lookup) : `found.${quote(taken.of)}`;
    return `case when ${isOpen} then ${value} else s.${quote(name)} end`;
  };
  const number = `row_number() over (
    partition by ${target.tables[0].key.map(column).join(', ')}
    order by s.${quote(ordinal)} nulls last, shard.place, s._line
  )`;
  const values = columns.map(
    (name) =>
      `${name === ordinal ? `coalesce(s.${quote(name)}, ${number})` : column(name)} as ${quote(name)}`,
  );
  return `
    with shard as (
      select lf.file_id, row_number() over (order by length(f.key), f.key collate "C") as place
      from landfall.load_file lf join landfall.file f on f.id = lf.file_id
      where lf.load_id = ${BigInt(loadId)}
    )
    select ${values.join(',\n      ')}
    from ${stagingNames(loadId, table).table} s
    join shard on shard.file_id = s._file_id
    ${lookup === undefined ? '' : `left join (${firstRows(loadId, target, lookup)}) found on ${sameRow(lookup, 'found')}`}
    ${lookup?.required === true ? `where not (${isOpen}) or ${isFound(lookup)}` : ''}`;
}

/** Of the rows that are the same by what is looked for, the first. */
function firstRows(loadId: string, target: Target, lookup: Lookup): string {
  const by = lookup.by.map(quote);
  const key = target.tables.find(({ name }) => name === lookup.in)?.key ?? [];
  const names = new Set([...by, ...lookup.takes.map(({ of }) => quote(of))]);
  return `
      select distinct on (${by.join(', ')}) ${[...names].join(', ')}
      from ${stagingNames(loadId, lookup.in).table}
      order by ${[...by, ...key.map(quote)].join(', ')}
    `;
}

function sameRow({ by }: Lookup, other: string): string {
  return by.map((name) => `${other}.${quote(name)} = s.${quote(name)}`).join(' and ');
}

/** What was compared is not null in both. */
function isFound({ by: [first = ''] }: Lookup): string {
  return `found.${quote(first)} is not null`;
}

async function quarantine(
  client: pg.ClientBase,
  loadId: string,
  completion: Completion,
  columns: readonly string[],
): Promise<readonly Lost[]> {
  const { table, ordinal, lookup } = completion;
  if (lookup === undefined) throw new Error(`Rows of ${table} were lost that look for no others.`);
  const own = columns.filter(
    (name) => !['_file_id', '_line', ...completedColumns(completion)].includes(name),
  );
  const values = lookup.by.map(
    (name) => `${pg.escapeLiteral(`${name} `)} || coalesce(s.${quote(name)}::text, 'null')`,
  );
  const { rows } = await client.query<Lost>(
    `with moved as (
       insert into landfall.quarantine (load_id, file_id, line, reason, raw)
       select $1, s._file_id, s._line,
         'there is no ' || $2::text || ' with ' || ${values.join(` || ' and ' || `)} || ' in the delivery',
         json_strip_nulls(to_json(raw))
       from ${stagingNames(loadId, table).table} s
       cross join lateral (select ${own.map((name) => `s.${quote(name)}`).join(', ')}) raw
       where s.${quote(ordinal)} is null and not exists (
         select from ${stagingNames(loadId, lookup.in).table} other where ${sameRow(lookup, 'other')}
       )
       returning file_id
     )
     select file_id as file, count(*) as rows from moved group by file_id`,
    [loadId, lookup.in],
  );
  return rows;
}

async function countLost(
  client: pg.ClientBase,
  loadId: string,
  lost: ReadonlyMap<string, number>,
): Promise<void> {
  await client.query(
    `update landfall.load_file lf
     set rows_loaded = lf.rows_loaded - lost.rows, rows_quarantined = lf.rows_quarantined + lost.rows,
         first_error = first.reason, first_error_line = first.line
     from unnest($2::bigint[], $3::bigint[]) as lost (file_id, rows)
     cross join lateral (
       select reason, line from landfall.quarantine q
       where q.load_id = $1 and q.file_id = lost.file_id order by line limit 1
     ) first
     where lf.load_id = $1 and lf.file_id = lost.file_id`,
    [loadId, [...lost.keys()], [...lost.values()]],
  );
}

const quote = pg.escapeIdentifier;
