/** What the ledger says of files that are being staged. */

import type pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import type { RowsOfFile } from '../model/row-text.js';

/** Another attempt was faster with some of the files. */
export class AlreadyStaged extends Error {}

/** Throws `AlreadyStaged`, and enters nothing, where one of the files is no longer to be staged. */
export async function enterStaged(
  client: pg.ClientBase,
  loadId: string,
  files: readonly { readonly id: string }[],
  counts: readonly RowsOfFile[],
): Promise<void> {
  const ids = files.map(({ id }) => id);
  // In one order, or two attempts with some of the same files would wait for each other.
  const open = await client.query(
    `select from landfall.load_file
     where load_id = $1 and file_id = any($2::bigint[]) and staged_at is null
     order by file_id for no key update`,
    [loadId, ids],
  );
  if (open.rowCount !== files.length) throw new AlreadyStaged();
  await client.query(
    `update landfall.load_file lf
     set staged_at = now(), rows_parsed = staged.parsed, rows_loaded = staged.loaded,
         rows_quarantined = staged.quarantined, rows_duplicate = 0, rows_by_table = staged.by_table,
         first_error = q.reason, first_error_line = q.line
     from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::jsonb[])
       as staged (file_id, parsed, loaded, quarantined, by_table)
     left join lateral (
       select reason, line from landfall.quarantine
       where load_id = $1 and file_id = staged.file_id order by line limit 1
     ) q on true
     where lf.load_id = $1 and lf.file_id = staged.file_id`,
    [
      loadId,
      ids,
      counts.map(({ parsed }) => parsed),
      counts.map(({ loaded }) => loaded),
      counts.map(({ quarantined }) => quarantined),
      counts.map(({ byTable }) => JSON.stringify(byTable)),
    ],
  );
}

/** Returns false where another attempt has staged the file or left it out. */
export async function enterUnreadable(
  client: pg.ClientBase,
  loadId: string,
  fileId: string,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update landfall.load_file
     set staged_at = now(), unreadable = $3, rows_parsed = 0, rows_loaded = 0, rows_quarantined = 0,
         rows_duplicate = 0, rows_by_table = '{}'
     where load_id = $1 and file_id = $2 and staged_at is null`,
    [loadId, fileId, reason],
  );
  return rowCount === 1;
}

/** Those of the files that still have to be staged. */
export async function stillPending<F extends { readonly id: string }>(
  pool: pg.Pool,
  loadId: string,
  files: readonly F[],
): Promise<readonly F[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select file_id as id from landfall.load_file
     where load_id = $1 and file_id = any($2::bigint[]) and staged_at is null`,
    [loadId, files.map(({ id }) => id)],
  );
  const left = new Set(rows.map(({ id }) => id));
  return files.filter(({ id }) => left.has(id));
}

/** Throws `LoadSuperseded` unless the load is being staged. */
export async function assertStaging(db: pg.Pool | pg.ClientBase, loadId: string): Promise<void> {
  const { rows } = await db.query<{ state: string; delivery_id: string }>(
    `select state, delivery_id from landfall.load where id = $1`,
    [loadId],
  );
  const load = rows[0];
  if (load?.state === 'staging') return;
  throw new Failure(
    failureTypes.loadSuperseded,
    `Load ${loadId} of delivery ${load?.delivery_id ?? '(unknown)'} is ${load?.state ?? 'not in the ledger'}, no ` +
      `longer being staged. The delivery is planned again.`,
  );
}
