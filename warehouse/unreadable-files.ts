/** Files that a load leaves out, since they cannot be read. Only where files of a delivery come one by one. */

import type pg from 'pg';

import { assertStaging, enterUnreadable } from './enter-staged.js';
import { transaction } from './transaction.js';

export interface UnreadableFiles {
  readonly files: number;
  /** The first of them by key: `key: reason`. */
  readonly first: string;
}

/**
 * A file of a load cannot be read: the load is published without it. Nothing happens where another attempt has staged it
 * or left it out. Throws `LoadSuperseded` once the load was given up.
 */
export async function leaveOut(
  pool: pg.Pool,
  loadId: string,
  file: { readonly id: string },
  reason: string,
): Promise<void> {
  await transaction(pool, async (client) => {
    await assertStaging(client, loadId);
    await enterUnreadable(client, loadId, file.id, reason);
  });
}

/** The files that a load has left out; undefined when there are none. */
export async function unreadableFiles(
  db: pg.Pool | pg.ClientBase,
  loadId: string,
): Promise<UnreadableFiles | undefined> {
  const { rows } = await db.query<{ first: string; files: string }>(
    `select f.key || ': ' || lf.unreadable as first, count(*) over () as files
     from landfall.load_file lf join landfall.file f on f.id = lf.file_id
     where lf.load_id = $1 and lf.unreadable is not null
     order by f.key collate "C"
     limit 1`,
    [loadId],
  );
  const row = rows[0];
  return row && { files: Number(row.files), first: row.first };
}
