import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { rowTextOfPostgres, type FileTable } from '../../model/row-text.js';
import { documentRows, type DocumentRows, type FileCounts } from '../../reader/documents/documents.js';
import { openMasks, type Masks } from '../../reader/masks/masks.js';
import { session, storedTables } from '../../vendors/monetate/tables.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { createTables } from '../vendors/monetate/rows.js';
import { connect } from './landing.js';
import { reading, type Reading } from './reading.js';

export interface Visits {
  readonly client: pg.Client;
  readonly drop: () => Promise<void>;
}

/** The real tables, in a database of a test's own. */
export async function visitTables(): Promise<Visits> {
  const database: TestDatabase = await testDatabase();
  await createTables(database.pool, 'visits');
  const client = await connect(database.url);
  await client.query(`set search_path = visits;
    create table quarantine (load_id bigint, file_id bigint, line bigint, reason text, raw text)`);
  for (const { name } of storedTables) await client.query(`alter table ${name} drop constraint ${name}_pkey`);
  return {
    client,
    drop: async () => {
      await client.end();
      await database.drop();
    },
  };
}

export type TextRow = Readonly<Record<string, string | null>>;

/** What the reader says of files that it has read. */
export interface ToldVisits {
  readonly parsed: number;
  /** What `good` said of the first table. */
  readonly taken: number;
  /** By file. */
  readonly counts: ReadonlyMap<string, FileCounts>;
  readonly unreadable: readonly (readonly [id: string, message: string])[];
}

export interface LandedVisits extends ToldVisits {
  /** Rows by table, in the order of file, line and number; every value as Postgres writes it as text. */
  readonly rows: Readonly<Record<string, readonly TextRow[]>>;
  readonly bad: readonly {
    readonly file: string;
    readonly line: number;
    readonly reason: string;
    readonly raw: string;
  }[];
}

export type Content = string | Buffer;

/** Brings files with the ids 1, 2 … into the tables, which are emptied before, as one group. */
export async function copyVisits(
  { client }: Visits,
  contents: readonly Content[],
  memoryLimit = '256MB',
  threads = 1,
  masks?: Masks,
): Promise<ToldVisits> {
  await client.query(`truncate ${[...storedTables.map(({ name }) => name), 'quarantine'].join(', ')}`);
  const copyInto = async (rows: Readable, target: string): Promise<number> => {
    const copy = client.query(copyFrom(`copy ${target} from stdin (${rowTextOfPostgres})`));
    await pipeline(rows, copy);
    return copy.rowCount;
  };
  const copy = (rows: Readable, { name, columns }: FileTable): Promise<number> =>
    copyInto(rows, `${name} (${columns.map((column) => pg.escapeIdentifier(column)).join(', ')})`);
  return reading(
    async (at) => {
      const rows = await openVisits(at, contents, masks);
      const taken = await rows.good(copy);
      await rows.bad((bad) => copyInto(bad, 'quarantine'));
      const unreadable = rows.unreadable().map(({ id, error }) => [id, error.message] as const);
      const counts = new Map(contents.map((_, index) => [String(index + 1), rows.of(String(index + 1))]));
      return { taken, parsed: rows.parsed(), unreadable, counts };
    },
    undefined,
    memoryLimit,
    threads,
  );
}

/** The same, and what stands in the tables then. */
export async function landVisits(
  visits: Visits,
  contents: readonly Content[],
  memoryLimit = '256MB',
  threads = 1,
  masks?: Masks,
): Promise<LandedVisits> {
  const told = await copyVisits(visits, contents, memoryLimit, threads, masks);
  const { client } = visits;
  const rows: Record<string, readonly TextRow[]> = {};
  for (const { name, columns } of storedTables) {
    const texts = [...columns.map((column) => column.name), '_file_id', '_line', '_extra'].map(
      (column) => `${pg.escapeIdentifier(column)}::text`,
    );
    const order = columns.some((column) => column.name === 'ordinal') ? ', t.ordinal' : '';
    const found = await client.query<TextRow>(
      `select ${texts.join(', ')} from ${name} t order by t._file_id, t._line${order}`,
    );
    rows[name] = found.rows;
  }
  const { rows: bad } = await client.query<{ file: string; line: string; reason: string; raw: string }>(
    'select file_id::text as file, line, reason, raw from quarantine q order by q.file_id, q.line',
  );
  return { ...told, rows, bad: bad.map((row) => ({ ...row, line: Number(row.line) })) };
}

/** The files lie in a folder of their own, beside that which the reader works in. */
export async function openVisits(
  at: Reading,
  contents: readonly Content[],
  masks?: Masks,
): Promise<DocumentRows> {
  const folder = join(at.folder, 'files');
  await mkdir(folder, { recursive: true });
  const files = contents.map((_, index) => {
    const id = String(index + 1);
    return { id, key: `2026/11/20/${id}`, path: join(folder, id) };
  });
  for (const [index, content] of contents.entries()) await writeFile(files[index]!.path, content);
  const constants = { exportDate: '2026-11-20', partitionValue: null, loadId: '7', masks };
  await openMasks(at.connection, masks);
  return documentRows(at.connection, session, files, constants, at.folder, at.signal);
}
