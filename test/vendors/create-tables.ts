import { readFile, readdir } from 'node:fs/promises';

import pg from 'pg';

import type { Vendor } from '../../vendors/vendor.js';

/** Creates a vendor's tables and views in a schema of their own. */
export async function createTablesOf(
  { scripts }: Pick<Vendor, 'scripts'>,
  pool: pg.Pool,
  schema: string,
): Promise<void> {
  const names = (await readdir(scripts)).sort();
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`create schema ${pg.escapeIdentifier(schema)}`);
    await client.query(`set local search_path = ${pg.escapeIdentifier(schema)}`);
    for (const name of names) await client.query(await readFile(new URL(name, scripts), 'utf8'));
    await client.query('commit');
  } finally {
    client.release();
  }
}
