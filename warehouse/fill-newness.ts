import type pg from 'pg';

import type { Delivery } from '../model/delivery.js';
import { vendors, type VendorName } from '../vendors/registry.js';
import { transaction } from './transaction.js';

/**
 * Enters how new the copies in visible files are, where an earlier version of Landfall has published them and did not say: as
 * planning does it today, from what the ledger knows of the files. Returns how many deliveries that were.
 */
export async function fillNewness(
  pool: pg.Pool,
  source: { readonly name: string; readonly vendor: VendorName },
): Promise<number> {
  const vendor = vendors[source.vendor];
  if (!vendor.types.some((type) => vendor.landing(type).how === 'merge')) return 0;
  const { rows: loads } = await pool.query<Delivery & { readonly load: string }>(
    `select l.id as load, d.id, d.source, d.type, d.date::text as date
     from landfall.load l join landfall.delivery d on d.id = l.delivery_id
     where d.source = $1 and l.state = 'published'
       and exists (select from landfall.load_file lf where lf.load_id = l.id and lf.newness is null)
     order by l.id`,
    [source.name],
  );
  for (const { load, ...delivery } of loads) {
    await transaction(pool, async (client) => {
      await client.query('select 1 from landfall.delivery where id = $1 for no key update', [delivery.id]);
      const { rows } = await client.query<{
        id: string;
        key: string;
        modified: string;
        size: string;
        version: string;
      }>(
        `select f.id, f.key, f.version, f.size, extract(epoch from f.modified_at) * 1000 as modified
         from landfall.load_file lf join landfall.file f on f.id = lf.file_id
         where lf.load_id = $1`,
        [load],
      );
      const files = rows.map((row) => ({ ...row, size: Number(row.size), modified: Number(row.modified) }));
      const sorting = vendor.sorting(delivery, { take: 'all', read: new Map() });
      for (const file of files) sorting.sort(file);
      await client.query(
        `update landfall.load_file lf set newness = filled.newness
         from unnest($2::bigint[], $3::text[]) as filled (file_id, newness)
         where lf.load_id = $1 and lf.file_id = filled.file_id and lf.newness is null`,
        [load, files.map(({ id }) => id), files.map((file) => sorting.newness(file))],
      );
    });
  }
  return loads.length;
}
