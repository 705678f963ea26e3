/** Publishing by merge: of the copies of a row the newest is visible, with all that belongs to it. */

import pg from 'pg';

import { contestStaged, createContested, hasSuperseded, visible } from './contested-keys.js';
import { stagingNames } from './names.js';
import { settleCopies, takeTurns, withdraw } from './newest-copies.js';
import type { PublishRequest } from './publish-request.js';
import { removeRepeated } from './repeated-rows.js';
import { dropStaging } from './staging-tables.js';
import type { Target } from './target.js';

/**
 * Merges a load into the tables, in place of the delivery's last one. Under a key of the first table readers see the newest
 * copy, from this delivery or another, in all tables; the others are kept where nobody sees them. Within a load the newest
 * of several rows with one key stays.
 *
 * Loads of one source take turns, or two that bring the same key would meet at its index and one would fail.
 */
export async function mergeRows(client: pg.ClientBase, request: PublishRequest): Promise<void> {
  const { loadId, deliveryId, target } = request;
  const { tables } = target;
  await removeRepeated(client, { loadId, tables, key: tables[0].key, within: 'load' });
  await takeTurns(client, target);
  await createContested(client, target);
  await takeOutMerged(client, target, await visibleFiles(client, deliveryId));
  await contestStaged(client, loadId, target);
  await settleCopies(client, { deliveryId, loadId, target });
  await insertStaged(client, loadId, target);
  await dropStaging(client, loadId);
}

/** The files of a delivery's visible load. */
export async function visibleFiles(client: pg.ClientBase, deliveryId: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select lf.file_id as id from landfall.load l join landfall.load_file lf on lf.load_id = l.id
     where l.delivery_id = $1 and l.state = 'published'`,
    [deliveryId],
  );
  return rows.map(({ id }) => id);
}

/** Takes the rows of files away, seen or not, and notes in temporary table contested whose keys others have copies of. */
export async function takeOutMerged(
  client: pg.ClientBase,
  target: Target,
  fileIds: readonly string[],
): Promise<void> {
  if (fileIds.length === 0) return;
  if (await hasSuperseded(client, target)) await withdraw(client, target, fileIds);
  for (const { name } of target.tables) {
    await client.query(`delete from ${visible(target, name)} where _file_id = any($1::bigint[])`, [fileIds]);
  }
}

/**
 * Rows of the first table come in the order of their files, by which they are found again. Those of the others, which are
 * many, come in the order of their keys, so that neighbours in the index are written one after the other.
 */
export async function insertStaged(client: pg.ClientBase, loadId: string, target: Target): Promise<void> {
  for (const [index, { name, key }] of target.tables.entries()) {
    const order = index === 0 ? '' : ` order by ${key.map(pg.escapeIdentifier).join(', ')}`;
    await client.query(
      `insert into ${visible(target, name)} select * from ${stagingNames(loadId, name).table}${order}`,
    );
  }
}
