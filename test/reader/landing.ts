import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { copyOptions, type FileRows, type FileTable } from '../../model/row-text.js';
import { openParquet } from '../../reader/parquet.js';
import { project, type FileConstants, type Projection } from '../../reader/projection.js';
import { readFile } from '../../reader/read-file.js';
import type { FileShape, Table } from '../../vendors/table.js';
import { writeParquet, type Reading } from './reading.js';

/** One column of each type that a vendor's table may have, beside the key. */
export const everyType: Table = {
  name: 'every_type',
  key: 'id',
  ofFile: ['export_date', 'partition_value'],
  columns: [
    { name: 'id', type: 'text', field: 'uuid' },
    { name: 'a_text', type: 'text', field: 'aText' },
    { name: 'an_instant', type: 'timestamptz', field: 'anInstant' },
    { name: 'a_count', type: 'bigint', field: 'aCount' },
    { name: 'a_number', type: 'double precision', field: 'aNumber' },
    { name: 'a_flag', type: 'boolean', field: 'aFlag' },
    { name: 'some_json', type: 'jsonb', field: 'someJson' },
  ],
};

export const constants: FileConstants = {
  exportDate: '2026-03-01',
  partitionValue: "it's a 'value'",
  loadId: '7',
  fileId: '9007199254740993',
};

export interface Landed {
  readonly parsed: number;
  /** Loaded rows in the order of their lines; every value as Postgres writes it as text. */
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  readonly bad: readonly { readonly line: number; readonly reason: string; readonly raw: string }[];
}

export interface LandedParquet extends Landed {
  readonly projection: Projection;
}

/** Writes the rows of a DuckDB query as Parquet and brings them into Postgres, as a step does. */
export async function land(at: Reading, client: pg.Client, query: string): Promise<LandedParquet> {
  const path = await writeParquet(at, query);
  const parquet = await openParquet(at.connection, path, 'part');
  const projection = project(everyType, parquet.columns, parquet.source, parquet.line, constants);
  return { projection, ...(await landFile(at, client, { format: 'parquet', table: everyType }, path)) };
}

/** Brings a file into Postgres, as a step does. `key` is what messages call it. */
export async function landFile(
  at: Reading,
  client: pg.Client,
  shape: Extract<FileShape, { table: Table }>,
  path: string,
  key = 'part',
): Promise<Landed> {
  const { connection, signal } = at;
  const file = await readFile(connection, shape, { path, key }, constants, at, signal);
  return copyInto(client, shape.table, file);
}

async function copyInto(client: pg.Client, table: Table, file: FileRows): Promise<Landed> {
  const types = { export_date: 'date not null', partition_value: 'text' };
  const columns = [
    ...table.columns.map(({ name, type }) => `${pg.escapeIdentifier(name)} ${type}`),
    ...table.ofFile.map((name) => `${name} ${types[name]}`),
    `_file_id bigint, _line bigint, _extra jsonb, primary key (export_date, ${pg.escapeIdentifier(table.key)})`,
  ];
  await client.query(`
    drop table if exists landed, quarantine;
    create table landed (${columns.join(', ')});
    create table quarantine (load_id bigint, file_id bigint, line bigint, reason text not null, raw text not null)`);
  const into = (target: string) => async (rows: Readable, table?: FileTable) => {
    const copy = client.query(copyFrom(`copy ${target} from stdin (${copyOptions(table?.form)})`));
    await pipeline(rows, copy);
    return copy.rowCount;
  };
  const names = file.tables[0].columns.map((name) => pg.escapeIdentifier(name));
  await file.good(into(`landed (${names.join(', ')})`));
  await file.bad(into('quarantine'));

  const texts = names.map((name) => `${name}::text as ${name}`);
  const loaded = await client.query<Record<string, string | null>>(
    `select ${texts.join(', ')} from landed l order by l._line`,
  );
  const quarantined = await client.query<{ line: string; reason: string; raw: string }>(
    'select line, reason, raw from quarantine order by line',
  );
  return {
    parsed: file.parsed(),
    rows: loaded.rows,
    bad: quarantined.rows.map((row) => ({ ...row, line: Number(row.line) })),
  };
}

/** A session of a test's own whose times are UTC. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`set timezone = 'UTC'; set extra_float_digits = 1`);
  return client;
}
