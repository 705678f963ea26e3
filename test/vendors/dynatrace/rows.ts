import type pg from 'pg';

import { dynatrace } from '../../../vendors/dynatrace/vendor.js';
import { createTablesOf } from '../create-tables.js';

// Rows of both vendors have a place in a file, and nothing else that is ours.
export { putRows } from '../leanplum/rows.js';

/** Creates the vendor's tables and views in a schema of their own. */
export function createTables(pool: pg.Pool, schema: string): Promise<void> {
  return createTablesOf(dynatrace, pool, schema);
}
