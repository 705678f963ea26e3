import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { rowTextOfPostgres } from '../../model/row-text.js';
import { copyOut } from '../../reader/copy-out.js';
import { openParquet } from '../../reader/parquet.js';
import { project, type Projection } from '../../reader/projection.js';
import type { Table } from '../../vendors/vendor.js';
import { writeParquet, type Reading } from './reading.js';

/** One column of each type that a vendor's table may have, beside the key. */
export const everyType: Table = {
  name: 'every_type',
  key: 'id',
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

export interface Landed {
  readonly projection: Projection;
  /** Loaded rows in the order of their lines; every value as Postgres writes it as text. */
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  readonly bad: readonly { readonly line: number; readonly reason: string; readonly raw: string }[];
}

/** Writes the rows of a DuckDB query as Parquet and brings them into Postgres, as a step does. */
export async function land(at: Reading, client: pg.Client, query: string): Promise<Landed> {
  const path = await writeParquet(at, query);
  const parquet = await openParquet(at.connection, path, 'part');
  const projection = project(everyType, parquet.columns, parquet.source, parquet.line, {
    exportDate: '2026-03-01',
    partitionValue: "it's a 'value'",
    loadId: '7',
    fileId: '9007199254740993',
  });
  const columns = everyType.columns.map(({ name, type }) => `${pg.escapeIdentifier(name)} ${type}`);
  await client.query(`
    drop table if exists every_type, quarantine;
    create table every_type (
      ${columns.join(', ')}, export_date date not null, partition_value text, _file_id bigint, _line bigint, _extra jsonb,
      primary key (export_date, id)
    );
    create table quarantine (load_id bigint, file_id bigint, line bigint, reason text not null, raw text not null)`);
  const into = (target: string) => (rows: Readable) =>
    pipeline(rows, client.query(copyFrom(`copy ${target} from stdin (${rowTextOfPostgres})`)));
  const names = projection.columns.map((name) => pg.escapeIdentifier(name)).join(', ');
  await copyOut(at.connection, projection.good, at.pipe, into(`every_type (${names})`));
  await copyOut(at.connection, projection.bad, at.pipe, into('quarantine'));

  const texts = projection.columns.map(
    (name) => `${pg.escapeIdentifier(name)}::text as ${pg.escapeIdentifier(name)}`,
  );
  const loaded = await client.query<Record<string, string | null>>(
    `select ${texts.join(', ')} from every_type e order by e._line`,
  );
  const quarantined = await client.query<{ line: string; reason: string; raw: string }>(
    'select line, reason, raw from quarantine order by line',
  );
  return {
    projection,
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
