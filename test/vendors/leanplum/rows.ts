import { readFile, readdir } from 'node:fs/promises';

import pg from 'pg';

const scripts = new URL('../../../vendors/leanplum/sql/', import.meta.url);

/** Creates the vendor's tables and views in a schema of their own. */
export async function createTables(pool: pg.Pool, schema: string): Promise<void> {
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
