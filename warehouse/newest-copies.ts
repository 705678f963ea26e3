/**
 * Of all copies of a row that live deliveries have brought, readers see the newest; the others are kept where nobody sees
 * them. So the tables are the same in whatever order deliveries are loaded, loaded again and discarded.
 *
 * A copy is what a file holds under one key of the first table; where rows of a delivery are completed, it is what all of
 * the delivery's files hold.
 */

import pg from 'pg';

import { contestRemoved, tablesOfKeys, visible } from './contested-keys.js';
import { countCopies } from './copy-counts.js';
import { columnsOf, sameKey, stagingNames, supersededTable } from './names.js';
import { newestFirst } from './repeated-rows.js';
import { judgeOwn } from './own-copies.js';
import { columnList } from './partitions.js';
import type { Target } from './target.js';

export interface Settling {
  readonly deliveryId: string;
  /** The load whose staged rows are about to be published. */
  readonly loadId?: string;
  readonly target: Target;
}

/** Until the end of the transaction, no other delivery's rows of the schema change. */
export async function takeTurns(client: pg.ClientBase, { schema }: Target): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('landfall.merge.' || $1, 0))`, [schema]);
}

/**
 * Takes the copies of these files out of those that readers do not see, and notes which keys that concerns; also of those
 * that readers do see, which the caller takes out.
 */
export async function withdraw(
  client: pg.ClientBase,
  target: Target,
  fileIds: readonly string[],
): Promise<void> {
  await contestRemoved(client, target, fileIds);
  const tables = [undefined, ...target.tables.map(({ name }) => name)];
  for (const table of tables) {
    await client.query(
      `delete from ${supersededTable(target.schema, table)} where _file_id = any($1::bigint[])`,
      [fileIds],
    );
  }
  await client.query('delete from landfall.superseded where file_id = any($1::bigint[])', [fileIds]);
}

/** Rows of another delivery that readers see again. */
export interface Restored {
  readonly deliveryId: string;
  readonly rows: number;
}

/**
 * Decides of each key in temporary table contested which copy is the newest, and puts every copy where it belongs. Returns
 * which other deliveries' rows came back, those with most first.
 */
export async function settleCopies(client: pg.ClientBase, settling: Settling): Promise<readonly Restored[]> {
  await client.query('analyze contested');
  const { rows } = await client.query<{ some: boolean }>('select exists (select from contested) as some');
  if (rows[0]?.some !== true) return [];
  await gatherCopies(client, settling);
  await rankCopies(client, settling);
  await judgeOwn(client, settling);
  await enterCopies(client, settling.target);
  await moveCopies(client, settling);
  await countCopies(client, settling);
  return restored(client, settling);
}

async function restored(client: pg.ClientBase, { deliveryId }: Settling): Promise<readonly Restored[]> {
  const { rows } = await client.query<{ delivery: string; rows: string }>(
    `select _delivery as delivery, sum(_lines) as rows from ranked
     where _place = 'superseded' and _wins and _delivery <> $1
     group by _delivery order by sum(_lines) desc, _delivery`,
    [deliveryId],
  );
  return rows.map((row) => ({ deliveryId: row.delivery, rows: Number(row.rows) }));
}

/** Temporary table copy: every copy of the contested keys, where it lies, and what was known of it. */
async function gatherCopies(client: pg.ClientBase, { loadId, target }: Settling): Promise<void> {
  const { key } = target.tables[0];
  const seen = (place: string, table: string): string =>
    `select '${place}' as _place, ${columnsOf('t', [...key, '_file_id', '_line'])}
     from ${table} t join contested c on ${sameKey('c', 't', key)}`;
  const tables = tablesOfKeys(target);
  const rows = [
    ...tables.map((table) => seen('visible', visible(target, table))),
    ...(loadId === undefined ? [] : tables.map((table) => seen('staged', stagingNames(loadId, table).table))),
  ];
  const group = columnsOf('r', key);
  await client.query(
    `create temporary table copy on commit drop as
     with r as (${rows.join(' union all ')}),
     found as (
       select _place, ${group}, _file_id, min(_line) as _line, count(distinct _line) as _lines,
              null::text as _status, null::text as _by
       from r group by _place, ${group}, _file_id
       union all
       select 'superseded', ${columnsOf('t', key)}, t._file_id, t._line, t._lines, t._status, t._by
       from ${supersededTable(target.schema)} t join contested c on ${sameKey('c', 't', key)}
     )
     select found.*, l.id as _load_id, l.delivery_id as _delivery, f.key as _file, lf.newness as _newness
     from found
     join landfall.file f on f.id = found._file_id
     left join (landfall.load_file lf join landfall.load l on l.id = lf.load_id)
       on lf.file_id = found._file_id
       and case when found._place = 'staged' then l.id = ${BigInt(loadId ?? 0)} else l.state = 'published' end`,
  );
  await client.query('analyze copy');
}

/** Temporary table ranked: whether each copy is the newest, and what it is from now on if it is not. */
async function rankCopies(client: pg.ClientBase, { deliveryId, target }: Settling): Promise<void> {
  const { key } = target.tables[0];
  const order = newestFirst('_newness', '_file');
  // Of a delivery that is completed all files hold a part of the one copy.
  const wins = target.adds === true ? '_rank = 1' : '_load_id is not distinct from _winner_load';
  const isOwn = `_delivery is not distinct from ${pg.escapeLiteral(deliveryId)}`;
  await client.query(
    `create temporary table ranked on commit drop as
     with placed as (
       select c.*, row_number() over newest as _rank, first_value(_load_id) over newest as _winner_load,
              first_value(_delivery) over newest as _winner,
              row_number() over (partition by ${columnsOf('c', key)}, _delivery order by ${order}) as _rank_of_own,
              first_value(_file_id) over (partition by ${columnsOf('c', key)}, _delivery order by ${order}) as _best
       from copy c
       window newest as (partition by ${columnsOf('c', key)} order by ${order})
     )
     select placed.*, ${wins} as _wins,
            case when ${wins} then null
                 when ${target.adds === true ? '_rank_of_own = 1' : 'true'} then 'superseded'
                 when ${isOwn} then null
                 else _status end as _becomes
     from placed`,
  );
  await client.query('analyze ranked');
}

/** What is not visible from now on is entered once, by its key and file. */
async function enterCopies(client: pg.ClientBase, target: Target): Promise<void> {
  const { key } = target.tables[0];
  const copies = supersededTable(target.schema);
  const names = [...key, '_file_id', '_line', '_lines'];
  await client.query(`delete from ${copies} t using contested c where ${sameKey('c', 't', key)}`);
  await client.query(
    `insert into ${copies} (${names.map(pg.escapeIdentifier).join(', ')}, _status, _by)
     select ${columnsOf('r', names)}, r._becomes, case when r._becomes = 'superseded' then r._winner end
     from ranked r where not r._wins`,
  );
}

/** What leaves comes first, for the keys of what takes its place are the same. */
async function moveCopies(client: pg.ClientBase, { loadId, target }: Settling): Promise<void> {
  const { key } = target.tables[0];
  for (const { name } of target.tables) {
    const columns = await columnList(client, visible(target, name));
    const store = supersededTable(target.schema, name);
    const move = async (place: string, wins: boolean, from: string, to: string): Promise<void> => {
      await client.query(
        `with moved as (
           delete from ${from} t using ranked r
           where ${sameKey('r', 't', [...key, '_file_id'])}
             and r._place = '${place}' and r._wins = ${wins}
           returning t.*
         )
         insert into ${to} (${columns}) select ${columns} from moved`,
      );
    };
    await move('visible', false, visible(target, name), store);
    if (loadId !== undefined) await move('staged', false, stagingNames(loadId, name).table, store);
    await move('superseded', true, store, visible(target, name));
  }
}
