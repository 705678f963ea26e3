/**
 * Publishing where files come one by one: the rows of a load's files are added to those that readers see. Rows leave only
 * when their file comes in another version.
 */

import pg from 'pg';

import type { LoadCounts } from '../model/control.js';
import { countKept, countLoad, keptLoad } from './count-load.js';
import { stagingNames, tableNames } from './names.js';
import {
  deleteKeys,
  dropDuplicates,
  insertStaged,
  removeDuplicates,
  sameKey,
  takeTurns,
} from './publish-merge.js';
import type { PublishRequest } from './publish-request.js';
import { dropStaging } from './staging-tables.js';
import type { Target } from './target.js';

/**
 * Finds the files whose visible rows stay, in a temporary table: all of the delivery's published load but those that this
 * load has read anew, at the same version or another. Returns what they count.
 */
export async function noteKept(client: pg.ClientBase, request: PublishRequest): Promise<LoadCounts> {
  await client.query(
    'create temporary table kept_file (load_id bigint, file_id bigint primary key, key text) on commit drop',
  );
  await client.query(
    `insert into kept_file (load_id, file_id, key)
     select lf.load_id, lf.file_id, f.key
     from landfall.load l
     join landfall.load_file lf on lf.load_id = l.id and lf.unreadable is null
     join landfall.file f on f.id = lf.file_id
     where l.delivery_id = $1 and l.state = 'published' and f.key not in (
       select fresh.key from landfall.load_file staged join landfall.file fresh on fresh.id = staged.file_id
       where staged.load_id = $2 and staged.unreadable is null
     )`,
    [request.deliveryId, request.loadId],
  );
  await client.query('analyze kept_file');
  return countKept(client);
}

/** Up to so many rows are looked up by their keys, whatever Postgres thinks of it. */
const fewRows = 50_000;

/**
 * Adds a load's rows to those of the files that `noteKept` found, whose entries in the ledger go over to the load. Of
 * several rows of the delivery with one key the first by file, then line, stays, whichever load brought it; the others
 * count as duplicates of their files. Rows that another delivery brought under a key are replaced.
 */
export async function addRows(client: pg.ClientBase, request: PublishRequest): Promise<void> {
  const { loadId, deliveryId, target } = request;
  await takeTurns(client, target);
  await createKeys(client, target);
  await removeDuplicates(client, loadId, target);
  const { loaded } = await countLoad(client, loadId);
  // A table that was never analyzed is read from end to end for a handful of keys: 3 s of a load's 4, and more each day.
  if (loaded <= fewRows) await client.query('set local enable_seqscan = off; set local jit = off');
  await takeOutReadAnew(client, deliveryId, target);
  await noteSeen(client, loadId, target);
  await removeLater(client, loadId, target);
  await takeOver(client, target);
  await client.query('reset enable_seqscan; reset jit');
  await insertStaged(client, loadId, target);
  await dropStaging(client, loadId);
  await carryOver(client, loadId);
}

async function createKeys(client: pg.ClientBase, target: Target): Promise<void> {
  const [{ name, key }] = target.tables;
  const { table } = tableNames(target.schema, name, target.date);
  await client.query(
    `create temporary table merged_key on commit drop as
     select ${key.map(pg.escapeIdentifier).join(', ')} from ${table} with no data`,
  );
}

/**
 * Rows of files that were read anew: those of the first table are found by their file, the others by their keys, whose
 * index finds a few rows sooner than that on _file_id.
 */
async function takeOutReadAnew(client: pg.ClientBase, deliveryId: string, target: Target): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `select lf.file_id as id
     from landfall.load l join landfall.load_file lf on lf.load_id = l.id and lf.unreadable is null
     where l.delivery_id = $1 and l.state = 'published'
       and not exists (select from kept_file k where k.file_id = lf.file_id)`,
    [deliveryId],
  );
  if (rows.length === 0) return;
  const [first] = target.tables;
  const { rowCount } = await client.query(
    `insert into merged_key select ${first.key.map(pg.escapeIdentifier).join(', ')}
     from ${tableNames(target.schema, first.name, target.date).table} where _file_id = any($1::bigint[])`,
    [rows.map(({ id }) => id)],
  );
  if (rowCount !== 0) await deleteKeys(client, target);
}

/** The staged rows whose key readers see, and whether what they see stays, coming from a file before the row's own. */
async function noteSeen(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  const [first] = target.tables;
  const staging = stagingNames(loadId, first.name).table;
  const key = first.key.map((name) => `s.${pg.escapeIdentifier(name)}`).join(', ');
  // Of the columns that are joined by alone: all of a session's take a second.
  const joined = [...first.key, '_file_id'].map(pg.escapeIdentifier).join(', ');
  await client.query(`analyze ${staging} (${joined})`);
  await client.query(`
    create temporary table seen_key on commit drop as
    select s.ctid as row, s._file_id, s._line, ${key}, k.file_id as kept_file_id,
           coalesce(k.key collate "C" < f.key collate "C", false) as stays
    from ${staging} s
    join ${tableNames(target.schema, first.name, target.date).table} t on ${sameKey('t', 's', first.key)}
    join landfall.file f on f.id = s._file_id
    left join kept_file k on k.file_id = t._file_id`);
}

/** Staged rows that are duplicates of visible ones. */
async function removeLater(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  await client.query('truncate duplicate');
  await client.query('insert into duplicate select row, _file_id, _line from seen_key where stays');
  await dropDuplicates(client, loadId, target);
}

/** Visible rows that staged ones take the place of; those of files of this delivery are duplicates from now on. */
async function takeOver(client: pg.ClientBase, target: Target): Promise<void> {
  const key = target.tables[0].key.map(pg.escapeIdentifier).join(', ');
  await client.query('truncate merged_key');
  const { rowCount } = await client.query(
    `insert into merged_key select ${key} from seen_key where not stays`,
  );
  if (rowCount === 0) return;
  await deleteKeys(client, target);
  await client.query(`
    update landfall.load_file lf
    set rows_loaded = lf.rows_loaded - lost.rows, rows_duplicate = lf.rows_duplicate + lost.rows
    from (
      select kept_file_id, count(*) as rows from seen_key
      where not stays and kept_file_id is not null
      group by kept_file_id
    ) lost
    where lf.load_id = ${keptLoad} and lf.file_id = lost.kept_file_id`);
}

/** What the ledger says of the kept files goes over to the load, so that it says once what readers see. */
async function carryOver(client: pg.ClientBase, loadId: string): Promise<void> {
  // One that could not be read again at the version that readers see: what they see was read.
  await client.query(
    'delete from landfall.load_file lf using kept_file k where lf.load_id = $1 and lf.file_id = k.file_id',
    [loadId],
  );
  await client.query(
    `update landfall.load_file lf set load_id = $1, batch = null
     from kept_file k where lf.load_id = ${keptLoad} and lf.file_id = k.file_id`,
    [loadId],
  );
  await client.query(
    `update landfall.quarantine q set load_id = $1
     from kept_file k where q.load_id = ${keptLoad} and q.file_id = k.file_id`,
    [loadId],
  );
}
