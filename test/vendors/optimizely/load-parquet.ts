import { pipeline } from 'node:stream/promises';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { optimizelyTables, type OptimizelyType } from '../../../vendors/optimizely/tables.js';

const scripts = new URL('../../../vendors/optimizely/sql/', import.meta.url);

/** Creates the vendor's tables, views and functions in a schema of their own. */
export async function createTables(pool: pg.Pool, schema: string): Promise<void> {
  const names = (await readdir(scripts)).sort();
  await withSchema(pool, schema, async (client) => {
    await client.query(`create schema ${pg.escapeIdentifier(schema)}`);
    for (const name of names) await client.query(await readFile(new URL(name, scripts), 'utf8'));
  });
}

/**
 * Loads a day's Parquet files by the plainest way there is, DuckDB to CSV to COPY, and so without any of the code that
 * the product loads with. The metrics are held against what this way brings in. `which` may leave rows out.
 */
export async function loadParquet(
  pool: pg.Pool,
  schema: string,
  type: OptimizelyType,
  date: string,
  glob: string,
  which = '',
): Promise<void> {
  const { name: table, columns } = optimizelyTables[type];
  const directory = await mkdtemp(join(tmpdir(), 'landfall-golden-'));
  const csv = join(directory, 'rows.csv');
  try {
    const fields = columns.map(({ field, type: columnType }) =>
      columnType === 'jsonb' ? `to_json("${field}")` : `"${field}"`,
    );
    await query(
      `copy (
         select ${fields.join(', ')}, '${date}', 1, row_number() over ()
         from read_parquet('${glob}', hive_partitioning = false) ${which}
       ) to '${csv}' (format csv, header false, nullstr '\\N')`,
    );
    await withSchema(pool, schema, async (client) => {
      const partition = `"${table}_${date}"`;
      await client.query(`set local timezone = 'UTC'`);
      await client.query(`create table ${partition} partition of ${table} for values in ('${date}')`);
      const names = [...columns.map(({ name }) => `"${name}"`), 'export_date', '_file_id', '_line'];
      const into = client.query(
        copyFrom(`copy ${partition} (${names.join(', ')}) from stdin (format csv, null '\\N')`),
      );
      await pipeline(createReadStream(csv), into);
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Rows of a DuckDB query as plain JSON values: an independent second opinion on what Postgres says. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function withSchema(
  pool: pg.Pool,
  schema: string,
  work: (client: pg.PoolClient) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`set local search_path = ${pg.escapeIdentifier(schema)}`);
    await work(client);
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}
