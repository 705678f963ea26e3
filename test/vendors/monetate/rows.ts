import pg from 'pg';

import { monetate } from '../../../vendors/monetate/vendor.js';
import { createTablesOf } from '../create-tables.js';

/** Creates the vendor's tables and views in a schema of their own. */
export function createTables(pool: pg.Pool, schema: string): Promise<void> {
  return createTablesOf(monetate, pool, schema);
}

/** Puts rows into a table by the plainest way there is. Those of files get a place: line 1, 2 … of one file. */
export async function putRows(
  pool: pg.Pool,
  schema: string,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const place = (index: number): object => ({ _file_id: 1, _line: index + 1, export_date: '2026-11-20' });
  const whole = rows.map((row, index) => ({
    ...place(index),
    first_seen: '-infinity',
    last_seen: '-infinity',
    asked_at: '-infinity',
    ...row,
  }));
  await pool.query(`insert into ${name} select * from jsonb_populate_recordset(null::${name}, $1)`, [
    JSON.stringify(whole),
  ]);
}
