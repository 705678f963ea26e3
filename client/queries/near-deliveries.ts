import type pg from 'pg';

import { isDay } from '../../model/day.js';

/** Deliveries that may have been meant: of the same source and type where there are any, nearest day first. */
export async function nearDeliveries(pool: pg.Pool, id: string, limit: number): Promise<string[]> {
  const [source = '', type = '', date = ''] = id.split('/');
  const { rows } = await pool.query<{ readonly id: string }>(
    `select id
     from landfall.delivery
     order by source = $1 desc, type = $2 desc,
              abs(date - coalesce($3::date, current_date)), id
     limit $4`,
    [source, type, isDay(date) ? date : null, limit],
  );
  return rows.map((row) => row.id);
}
