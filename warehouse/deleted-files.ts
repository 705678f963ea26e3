import type pg from 'pg';

import type { StoredFile } from '../stores/store.js';
import { transaction } from './transaction.js';

/** Enters files of a delivery into the ledger as about to be deleted from their store, once. */
export async function listForDeletion(
  pool: pg.Pool,
  delivery: { readonly id: string; readonly source: string },
  files: readonly StoredFile[],
): Promise<void> {
  await pool.query(
    `with entered as (
       insert into landfall.file (source, key, version, size, modified_at)
       select $2, key, version, size, to_timestamp(modified / 1000.0)
       from unnest($3::text[], $4::text[], $5::bigint[], $6::float8[]) as f (key, version, size, modified)
       on conflict (source, key, version) do update set size = excluded.size
       returning id
     )
     insert into landfall.deleted_file (delivery_id, file_id)
     select $1, id from entered
     on conflict (delivery_id, file_id) do nothing`,
    [
      delivery.id,
      delivery.source,
      files.map(({ key }) => key),
      files.map(({ version }) => version),
      files.map(({ size }) => size),
      files.map(({ modified }) => modified),
    ],
  );
}

/** All files of a delivery that were about to be deleted are gone from `store`: its reason and history say so, once. */
export async function noteDeleted(pool: pg.Pool, deliveryId: string, store: string): Promise<void> {
  await transaction(pool, async (client) => {
    const { rowCount } = await client.query(
      'update landfall.deleted_file set deleted_at = now() where delivery_id = $1 and deleted_at is null',
      [deliveryId],
    );
    if (rowCount === 0) return;
    const { rows } = await client.query<{ files: string; bytes: string }>(
      `select count(*) as files, sum(f.size) as bytes
       from landfall.deleted_file x join landfall.file f on f.id = x.file_id
       where x.delivery_id = $1`,
      [deliveryId],
    );
    const { files = '0', bytes = '0' } = rows[0] ?? {};
    const noun = files === '1' ? 'file' : 'files';
    const reason = `${files} ${noun} of it (${bytes} bytes) were deleted from ${store}; landfall.deleted_file lists them.`;
    await client.query(
      `insert into landfall.delivery_event (delivery_id, kind, finality, reason) values ($1, 'deleted', 'discarded', $2)`,
      [deliveryId, reason],
    );
    await client.query(
      `update landfall.delivery set reason = concat_ws(' ', reason, $2::text) where id = $1 and finality = 'discarded'`,
      [deliveryId, reason],
    );
  });
}
