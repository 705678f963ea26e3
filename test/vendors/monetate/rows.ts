import { readFile, readdir } from 'node:fs/promises';

import pg from 'pg';

const scripts = new URL('../../../vendors/monetate/sql/', import.meta.url);

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
