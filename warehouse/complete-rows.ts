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
 * does not find it goes into the quarantine, and its file counts it there. So does one that finds others in several
 * sessions, of which nobody can tell whose it is: these count as conflicting.
 *
 * Returns a sentence on the latter.
 */
export async function completeRows(
  client: pg.ClientBase,
  loadId: string,
  target: Target,
): Promise<string | undefined> {
  const lost: Lost[] = [];
  for (const completion of target.completes ?? []) {
    const { table } = stagingNames(loadId, completion.table);
    const { rowCount } = await client.query(
      `select from ${table} where ${pg.escapeIdentifier(completion.ordinal)} is null limit 1`,
    );
    if (rowCount === 0) continue;
    lost.push(...(await completeTable(client, loadId, target, completion)));
  }
  // Last, since an attempt to stage that nobody waits for may hold one of the tables: it comes to the ledger after that.
  if (lost.length > 0) await countLost(client, loadId, lost);
  return writeAmbiguous(lost);
}

interface Lost {
  readonly file: string;
  readonly table: string;
  /** Rows that found none, and those that found several. */
  readonly without: number;
  readonly ambiguous: number;
}

function writeAmbiguous(lost: readonly Lost[]): string | undefined {
  const tables = [...new Set(lost.map(({ table }) => table))];
  const told = tables.flatMap((table) => {
    const rows = lost.reduce((sum, one) => sum + (one.table === table ? one.ambiguous : 0), 0);
    return rows === 0 ? [] : [`${rows} ${rows === 1 ? 'row' : 'rows'} of ${table}`];
  });
  if (told.length === 0) return undefined;
  return (
    `${told.join(' and ')} cannot be told to belong to one session, for the id that should lead there occurs in several. ` +
    `They are left out and lie in landfall.quarantine.`
  );
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
    rowCount === Number(counted[0]?.rows)
      ? []
      : await quarantine(client, loadId, target, completion, columns);
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

/** Of the rows of one session that are the same by what is looked for, the first; none where they are of several. */
function firstRows(loadId: string, target: Target, lookup: Lookup): string {
  const by = lookup.by.map(quote);
  const key = target.tables.find(({ name }) => name === lookup.in)?.key ?? [];
  const names = new Set([...by, ...lookup.takes.map(({ of }) => quote(of))]);
  const differ = openKey(target, lookup).map(
    (name) =>
      `min(${quote(name)}) over (partition by ${by.join(', ')}) <> max(${quote(name)}) over (partition by ${by.join(', ')})`,
  );
  const first = `
      select distinct on (${by.join(', ')}) ${[...names].join(', ')}${differ.length === 0 ? '' : `, ${differ.join(' or ')} as _ambiguous`}
      from ${stagingNames(loadId, lookup.in).table}
      order by ${[...by, ...key.map(quote)].join(', ')}
    `;
  return differ.length === 0 ? first : `select * from (${first}) one where not _ambiguous`;
}

/** Columns of the first table's key that a row is found without. */
function openKey({ tables: [first] }: Target, { by }: Lookup): readonly string[] {
  return first.key.filter((name) => !by.includes(name));
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
  target: Target,
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
  const by = lookup.by.map(quote).join(', ');
  const open = openKey(target, lookup).map(quote).join(', ') || '1';
  const { rows } = await client.query<{ file: string; without: string; ambiguous: string }>(
    `with other as (
       select ${by}, count(distinct (${open})) > 1 as ambiguous
       from ${stagingNames(loadId, lookup.in).table} group by ${by}
     ),
     moved as (
       insert into landfall.quarantine (load_id, file_id, line, reason, raw)
       select $1, s._file_id, s._line,
         case when other.ambiguous
           then 'there are ' || $2::text || 's with ' || ${values.join(` || ' and ' || `)} || ' in several sessions'
           else 'there is no ' || $2::text || ' with ' || ${values.join(` || ' and ' || `)} || ' in the delivery'
         end,
         json_strip_nulls(to_json(raw))
       from ${stagingNames(loadId, table).table} s
       cross join lateral (select ${own.map((name) => `s.${quote(name)}`).join(', ')}) raw
       left join other on ${sameRow(lookup, 'other')}
       where s.${quote(ordinal)} is null and other.ambiguous is not false
       returning file_id, line
     )
     select s._file_id as file, count(*) filter (where other.ambiguous is null) as without,
            count(*) filter (where other.ambiguous) as ambiguous
     from moved join ${stagingNames(loadId, table).table} s on (s._file_id, s._line) = (moved.file_id, moved.line)
     left join other on ${sameRow(lookup, 'other')}
     group by s._file_id`,
    [loadId, lookup.in],
  );
  return rows.map(({ file, without, ambiguous }) => ({
    ...{ file, table, without: Number(without), ambiguous: Number(ambiguous) },
  }));
}

async function countLost(client: pg.ClientBase, loadId: string, lost: readonly Lost[]): Promise<void> {
  await client.query(
    `update landfall.load_file lf
     set rows_loaded = lf.rows_loaded - lost.without - lost.ambiguous,
         rows_quarantined = lf.rows_quarantined + lost.without,
         rows_conflicting = lf.rows_conflicting + lost.ambiguous,
         first_error = first.reason, first_error_line = first.line
     from (
       select file_id, sum(without) as without, sum(ambiguous) as ambiguous
       from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as one (file_id, without, ambiguous) group by file_id
     ) lost
     cross join lateral (
       select reason, line from landfall.quarantine q
       where q.load_id = $1 and q.file_id = lost.file_id order by line limit 1
     ) first
     where lf.load_id = $1 and lf.file_id = lost.file_id`,
    [
      loadId,
      lost.map(({ file }) => file),
      lost.map(({ without }) => without),
      lost.map(({ ambiguous }) => ambiguous),
    ],
  );
}

const quote = pg.escapeIdentifier;
