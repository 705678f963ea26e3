/**
 * Publishing where files come one by one: the rows of a load's files are added to those that readers see. Rows leave only
 * when their file comes in another version.
 */

import pg from 'pg';

import type { LoadCounts } from '../model/control.js';
import { contestStaged, createContested, hasSuperseded, visible } from './contested-keys.js';
import { countKept, countLoad, keptLoad } from './count-load.js';
import { columnsOf, sameKey, stagingNames } from './names.js';
import { settleCopies, takeTurns, withdraw } from './newest-copies.js';
import { insertStaged } from './publish-merge.js';
import type { PublishRequest } from './publish-request.js';
import { removeRepeated } from './repeated-rows.js';
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
 * several rows with one key readers see the newest, whichever load or delivery brought it; the others are kept where nobody
 * sees them.
 */
export async function addRows(client: pg.ClientBase, request: PublishRequest): Promise<void> {
  const { loadId, deliveryId, target } = request;
  const { tables } = target;
  await removeRepeated(client, { loadId, tables, key: tables[0].key, within: 'file' });
  await takeTurns(client, target);
  await createContested(client, target);
  const { loaded } = await countLoad(client, loadId);
  // A table that was never analyzed is read from end to end for a handful of keys: 3 s of a load's 4, and more each day.
  if (loaded <= fewRows) await client.query('set local enable_seqscan = off; set local jit = off');
  await takeOutReadAnew(client, deliveryId, target);
  await analyzeStaged(client, loadId, target);
  await contestStaged(client, loadId, target);
  await settleCopies(client, { deliveryId, loadId, target });
  await client.query('reset enable_seqscan; reset jit');
  await insertStaged(client, loadId, target);
  await dropStaging(client, loadId);
  await carryOver(client, loadId);
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
  const files = rows.map(({ id }) => id);
  if (await hasSuperseded(client, target)) await withdraw(client, target, files);
  const [first] = target.tables;
  const { rowCount } = await client.query(
    `create temporary table read_anew on commit drop as
     select ${columnsOf('t', first.key)} from ${visible(target, first.name)} t
     where t._file_id = any('{${files.map(BigInt).join(',')}}'::bigint[])`,
  );
  if (rowCount === 0) return;
  await client.query('analyze read_anew');
  for (const { name } of target.tables) {
    await client.query(
      `delete from ${visible(target, name)} t using read_anew k where ${sameKey('t', 'k', first.key)}`,
    );
  }
}

/** Of the columns that are joined by alone: all of a session's take a second. */
async function analyzeStaged(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  const [first] = target.tables;
  const joined = [...first.key, '_file_id'].map(pg.escapeIdentifier).join(', ');
  await client.query(`analyze ${stagingNames(loadId, first.name).table} (${joined})`);
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
