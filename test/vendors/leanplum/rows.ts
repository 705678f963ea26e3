import pg from 'pg';

import { leanplum } from '../../../vendors/leanplum/vendor.js';
import { createTablesOf } from '../create-tables.js';

/** Creates the vendor's tables and views in a schema of their own. */
export function createTables(pool: pg.Pool, schema: string): Promise<void> {
  return createTablesOf(leanplum, pool, schema);
}

/** Puts rows into a table by the plainest way there is. Lines count from 1. */
export async function putRows(
  pool: pg.Pool,
  schema: string,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const whole = rows.map((row, index) => ({ _file_id: 1, _line: index + 1, ...row }));
  await pool.query(`insert into ${name} select * from jsonb_populate_recordset(null::${name}, $1)`, [
    JSON.stringify(whole),
  ]);
}
