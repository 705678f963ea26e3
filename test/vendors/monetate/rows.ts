import type pg from 'pg';

import { monetate } from '../../../vendors/monetate/vendor.js';
import { createTablesOf } from '../create-tables.js';
import { putRows as putPlaced } from '../put-rows.js';

/** Creates the vendor's tables and views in a schema of their own. */
export function createTables(pool: pg.Pool, schema: string): Promise<void> {
  return createTablesOf(monetate, pool, schema);
}

/** Puts rows into a table. Those of files get a place and a day, those of names their instants. */
export async function putRows(
  pool: pg.Pool,
  schema: string,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const always = {
    export_date: '2026-11-20',
    ...{ first_seen: '-infinity', last_seen: '-infinity', asked_at: '-infinity' },
  };
  await putPlaced(
    pool,
    schema,
    table,
    rows.map((row) => ({ ...always, ...row })),
  );
}
