import type pg from 'pg';

import type { Delivery } from '../model/delivery.js';
import { vendors, type VendorName } from '../vendors/registry.js';
import { visible } from './contested-keys.js';
import { takeTurns } from './newest-copies.js';
import type { Target } from './target.js';
import { transaction } from './transaction.js';

/**
 * Enters how new the copies in visible files are, where an earlier version of Landfall has published them and did not say: as
 * planning does it today, from what the ledger knows of the files. That version did not keep rows that others took the place
 * of either, and went on counting them: they count as superseded. Returns how many deliveries that were.
 */
export async function fillNewness(
  pool: pg.Pool,
  source: { readonly name: string; readonly vendor: VendorName; readonly schema: string },
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
      const target = { schema: source.schema, date: delivery.date, ...vendor.landing(delivery.type) };
      await takeTurns(client, target);
      await recount(client, delivery.id, load, target);
    });
  }
  return loads.length;
}

/** Rows of a load that are no longer in the tables. */
async function recount(
  client: pg.ClientBase,
  deliveryId: string,
  load: string,
  target: Target,
): Promise<void> {
  const [first] = target.tables;
  const lines = target.tables.map(
    ({ name }) => `
      select t._file_id, t._line from ${visible(target, name)} t
      join landfall.load_file lf on lf.load_id = $1 and lf.file_id = t._file_id
      where ${name === first.name ? 'true' : `coalesce((lf.rows_by_table ->> $2)::bigint, 0) = 0`}
        and t._file_id = any(array(select file_id from landfall.load_file where load_id = $1))`,
  );
  const { rows } = await client.query<{ gone: string | null }>(
    `with there as (
       select _file_id, count(distinct _line) as rows from (${lines.join(' union all ')}) line group by _file_id
     ), gone as (
       update landfall.load_file lf
       set rows_loaded = lf.rows_loaded - counted.gone, rows_superseded = lf.rows_superseded + counted.gone
       from (
         select own.file_id, own.rows_loaded - coalesce(there.rows, 0) as gone
         from landfall.load_file own left join there on there._file_id = own.file_id
         where own.load_id = $1 and own.rows_loaded > coalesce(there.rows, 0) and $2::text is not null
       ) counted
       where lf.load_id = $1 and lf.file_id = counted.file_id
       returning counted.gone
     )
     update landfall.load l set rows_loaded = l.rows_loaded - sum.gone, rows_superseded = l.rows_superseded + sum.gone
     from (select sum(gone) as gone from gone) sum
     where l.id = $1 and sum.gone > 0
     returning sum.gone`,
    [load, first.name],
  );
  const gone = rows[0]?.gone;
  if (gone === null || gone === undefined) return;
  await client.query(
    `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
     select id, 'note', finality, $2, 'recount/' || $3 from landfall.delivery where id = $1
     on conflict (delivery_id, request) do nothing`,
    [
      deliveryId,
      `${gone} of its rows were replaced by other deliveries' before copies were kept. They count as superseded from now on, ` +
        `and do not come back by themselves: reprocess the delivery to have them compared.`,
      load,
    ],
  );
}
