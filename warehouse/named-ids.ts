/**
 * What a vendor's ids are called, as its API says: kept with when it said so. Every answer is written as of the run that
 * asked for it (`at`, epoch ms): one that comes twice changes nothing more, and one of an earlier run nothing at all.
 */

import pg from 'pg';

import type { NameCounts } from '../model/names.js';
import type { NamedTable } from '../vendors/monetate/named-tables.js';

/** Where the names of a kind are. */
export interface NamesOf {
  readonly schema: string;
  readonly table: NamedTable;
}

export interface SomeIds {
  readonly ids: readonly string[];
  /** How many there are beyond these. */
  readonly more: number;
}

type Row = Readonly<Record<string, unknown>> & { readonly id: string };

/** Enters what the API gave. An id that had been gone is back. */
export async function putNames(
  pool: pg.Pool,
  { schema, table }: NamesOf,
  rows: readonly Row[],
  at: number,
): Promise<void> {
  const columns = table.columns.map(({ name }) => quote(name));
  // A page that shifts while it is read may have an id twice.
  const byId = new Map(rows.map((row) => [row.id, row]));
  await pool.query(
    `insert into ${nameOf(schema, table.name)} as known
       (${[quote(table.id), ...columns, 'first_seen', 'last_seen', 'asked_at'].join(', ')})
     select ${['id', ...columns].join(', ')}, ${instant}, ${instant}, ${instant}
     from jsonb_to_recordset($1) as given (id text, ${table.columns.map(typed).join(', ')})
     order by id
     on conflict (${quote(table.id)}) do update
     set ${columns.map((column) => `${column} = excluded.${column}, `).join('')}
         first_seen = coalesce(known.first_seen, excluded.first_seen),
         last_seen = excluded.last_seen,
         gone_at = null,
         asked_at = excluded.asked_at
     where known.asked_at <= excluded.asked_at`,
    [JSON.stringify([...byId.values()], storable), at],
  );
}

/** Enters that the API has none of these. They keep the names that they had. */
export async function putAbsent(
  pool: pg.Pool,
  { schema, table }: NamesOf,
  ids: readonly string[],
  at: number,
): Promise<void> {
  await pool.query(
    `insert into ${nameOf(schema, table.name)} as known (${quote(table.id)}, gone_at, asked_at)
     select id, ${instant}, ${instant} from (select distinct unnest($1::text[]) as id) as absent
     order by id
     on conflict (${quote(table.id)}) do update
     set gone_at = coalesce(known.gone_at, excluded.gone_at), asked_at = excluded.asked_at
     where known.asked_at <= excluded.asked_at`,
    [ids, at],
  );
}

/** Ids that the API had when it was asked before, and of which this run has heard nothing; longest unheard of first. */
export async function unheardIds(
  pool: pg.Pool,
  { schema, table }: NamesOf,
  at: number,
  limit: number,
): Promise<SomeIds> {
  const { rows } = await pool.query<Counted>(
    `select ${quote(table.id)} as id, count(*) over () as found
     from ${nameOf(schema, table.name)}
     where gone_at is null and asked_at < to_timestamp($1::float8 / 1000) and ${quote(table.id)} ~ '${askable}'
     order by asked_at, id
     limit $2`,
    [at, limit],
  );
  return someIds(rows);
}

export interface UnnamedQuery {
  /** Id of the delivery in whose files they are. */
  readonly delivery: string;
  /** Epoch ms: ids that were asked for after this instant, in vain, are left alone. */
  readonly askedBefore: number;
  readonly limit: number;
}

/**
 * Ids in the sessions of a delivery that have no name; most frequent first. Only those that the API can be asked for.
 *
 * The files of a delivery are entered together, so that their ids lie close to each other: their span finds the rows by
 * the BRIN index (of 10,000,000 offers the 125,000 of a day's 2,000 files in 0.5 s, on two busy cores), and the list of
 * files leaves out the others'.
 */
export async function unnamedIds(
  pool: pg.Pool,
  { schema, table }: NamesOf,
  { delivery, askedBefore, limit }: UnnamedQuery,
): Promise<SomeIds> {
  const { rows: files } = await pool.query<{ id: string }>(
    `select f.file_id as id
     from landfall.load l join landfall.load_file f on f.load_id = l.id
     where l.delivery_id = $1 and l.state = 'published'
     order by f.file_id`,
    [delivery],
  );
  const ids = files.map(({ id }) => id);
  if (ids.length === 0) return { ids: [], more: 0 };
  const used = quote(table.usedIn.column);
  const { rows } = await pool.query<Counted>(
    `with used as (
       select ${used} as id, count(*) as times
       from ${nameOf(schema, table.usedIn.table)}
       join unnest($3::bigint[]) as file (id) on file.id = _file_id
       where _file_id between $1 and $2
       group by 1
     )
     select u.id, count(*) over () as found
     from used u left join ${nameOf(schema, table.name)} known on known.${quote(table.id)} = u.id
     where u.id ~ '${askable}' and known.first_seen is null
       and (known.asked_at is null or known.asked_at < to_timestamp($4::float8 / 1000))
     order by u.times desc, u.id
     limit $5`,
    [ids[0], ids.at(-1), ids, askedBefore, limit],
  );
  return someIds(rows);
}

type Heard = Omit<NameCounts, 'left'>;

/** What a run has heard so far of the ids of a kind. */
export async function countNames(pool: pg.Pool, { schema, table }: NamesOf, at: number): Promise<Heard> {
  const { rows } = await pool.query<Record<keyof Heard, string>>(
    `select count(*) filter (where last_seen = heard) as named,
            count(*) filter (where first_seen = heard) as new,
            count(*) filter (where first_seen is not null and gone_at = heard) as gone,
            count(*) filter (where first_seen is null) as unknown
     from ${nameOf(schema, table.name)}, to_timestamp($1::float8 / 1000) as heard
     where asked_at = heard`,
    [at],
  );
  const { named = '0', new: first = '0', gone = '0', unknown = '0' } = rows[0] ?? {};
  return { named: Number(named), new: Number(first), gone: Number(gone), unknown: Number(unknown) };
}

interface Counted {
  readonly id: string;
  readonly found: string;
}

function someIds(rows: readonly Counted[]): SomeIds {
  return { ids: rows.map(({ id }) => id), more: Number(rows[0]?.found ?? 0) - rows.length };
}

/** What ids the API can be asked for look like: metadata.ts has the same in `isId`. */
const askable = '^[0-9]{1,19}$';
/** The run's instant, as the second parameter. */
const instant = 'to_timestamp($2::float8 / 1000)';
const quote = pg.escapeIdentifier;

function nameOf(schema: string, table: string): string {
  return `${quote(schema)}.${quote(table)}`;
}

function typed({ name, type }: { readonly name: string; readonly type: string }): string {
  return `${quote(name)} ${type}`;
}

/** Postgres takes neither NUL nor half a surrogate pair. */
function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll(/\0|\p{Surrogate}/gu, '\u{fffd}') : value;
}
