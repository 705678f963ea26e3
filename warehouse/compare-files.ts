/** Files of a delivery as they are in the store, beside those of the version that readers see. */

import type pg from 'pg';

import type { Changes } from '../vendors/completion.js';
import { fingerprint } from './planned-files.js';
import { transaction } from './transaction.js';

export interface KnownFile {
  readonly key: string;
  readonly version: string;
}

/** What differs. A day may have 20,000 parts: they come in pages, in key order, and are compared in Postgres. */
export async function compareFiles(
  pool: pg.Pool,
  deliveryId: string,
  pages: AsyncIterable<readonly KnownFile[]>,
  signal?: AbortSignal,
): Promise<Changes> {
  const compare = async (client: pg.ClientBase): Promise<Changes> => {
    await client.query('create temporary table listed (key text primary key, version text) on commit drop');
    const digest = fingerprint();
    for await (const page of pages) {
      digest.add(page);
      await client.query('insert into listed select * from unnest($1::text[], $2::text[])', [
        page.map(({ key }) => key),
        page.map(({ version }) => version),
      ]);
    }
    await client.query('analyze listed');
    const { rows } = await client.query<Omit<Changes, 'version'>>(
      `with visible as (
         select f.key, f.version
         from landfall.load l
         join landfall.load_file lf on lf.load_id = l.id
         join landfall.file f on f.id = lf.file_id
         where l.delivery_id = $1 and l.state = 'published'
       ), difference as (
         select coalesce(n.key, v.key) as key,
                case when v.key is null then 'added' when n.key is null then 'removed' else 'rewritten' end as what
         from listed n full join visible v on v.key = n.key
         where n.version is distinct from v.version
       )
       select count(*)::int as total,
              count(*) filter (where what = 'added')::int as added,
              count(*) filter (where what = 'rewritten')::int as rewritten,
              count(*) filter (where what = 'removed')::int as removed,
              array(select key from difference order by key collate "C" limit 5) as first
       from difference`,
      [deliveryId],
    );
    const [found] = rows;
    if (!found) throw new Error('count(*) gave no row');
    return { version: digest.version(), ...found };
  };
  return transaction(pool, compare, signal);
}

/** The files of the version that readers see, by key. For deliveries of few files. */
export async function visibleFiles(pool: pg.Pool, loadId: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<KnownFile>(
    `select f.key, f.version
     from landfall.load_file lf join landfall.file f on f.id = lf.file_id
     where lf.load_id = $1`,
    [loadId],
  );
  return new Map(rows.map(({ key, version }) => [key, version]));
}
