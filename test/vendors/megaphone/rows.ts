import pg from 'pg';

import { megaphone } from '../../../vendors/megaphone/vendor.js';
import { createTablesOf } from '../create-tables.js';
import { putRows as putPlaced } from '../put-rows.js';

/** A metric as the vendor writes it: values of a real row, with made-up ids and ip. */
export const exampleMetric = {
  country: 'US',
  dma_name: 'Dallas-Ft. Worth, TX',
  normalized_user_agent: 'Apple Podcasts',
  city: 'Dallas',
  ip: 'c19af70f00000000000000000000aaaa',
  created_at: '2022-03-21T15:19:12.000Z',
  podcast_id: '00000000-0000-0000-0000-000000000001',
  source: 0,
  filesize: 67332401,
  bytes_sent: 149313406,
  seconds_downloaded: 3720,
  duration: 1679.36,
  blacklisted_ip: false,
  episode_id: '00000000-0000-0000-0000-000000000002',
  blacklisted_ua: false,
  id: 'made-up',
  region: 'TX',
  user_agent: 'Podcasts/1630.11 CFNetwork/1329 Darwin/21.3.0',
};

/** Creates the vendor's tables and views in a schema of their own. */
export function createTables(pool: pg.Pool, schema: string): Promise<void> {
  return createTablesOf(megaphone, pool, schema);
}

/** Makes a day's partition and puts rows into it. */
export async function putRows(
  pool: pg.Pool,
  schema: string,
  table: string,
  date: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const partition = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(`${table}_${date}`)}`;
  await pool.query(
    `create table ${partition} partition of ${name} for values in (${pg.escapeLiteral(date)})`,
  );
  await putPlaced(
    pool,
    schema,
    table,
    rows.map((row) => ({ ...row, export_date: date })),
  );
}
