import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { rowTextOfPostgres, type FileRows, type FileTable } from '../../model/row-text.js';
import { readFile } from '../../reader/read-file.js';
import { session, storedTables } from '../../vendors/leanplum/tables.js';
import { leanplum } from '../../vendors/leanplum/vendor.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { createTablesOf } from '../vendors/create-tables.js';
import { constants, connect } from './landing.js';
import { reading, type Reading } from './reading.js';

export const key = '20261120/export-7-output-0';

export interface Sessions {
  readonly client: pg.Client;
  readonly drop: () => Promise<void>;
}

/** The real tables, in a database of a test's own. */
export async function sessionTables(): Promise<Sessions> {
  const database: TestDatabase = await testDatabase();
  await createTablesOf(leanplum, database.pool, 'sessions');
  const client = await connect(database.url);
  await client.query('set search_path = sessions');
  await client.query(
    'create table quarantine (load_id bigint, file_id bigint, line bigint, reason text, raw text)',
  );
  return {
    client,
    drop: async () => {
      await client.end();
      await database.drop();
    },
  };
}

export type TextRow = Readonly<Record<string, string | null>>;

export interface LandedSessions {
  readonly parsed: number;
  /** What `good` said of the first table. */
  readonly taken: number;
  /** Rows by table, in the order of line and number; every value as Postgres writes it as text. */
  readonly rows: Readonly<Record<string, readonly TextRow[]>>;
  readonly bad: readonly { readonly line: number; readonly reason: string; readonly raw: string }[];
}

/** Brings a file of sessions into the tables, which are emptied before. */
export async function landSessions(
  { client }: Sessions,
  content: string | Buffer,
  memoryLimit = '256MB',
  threads = 1,
): Promise<LandedSessions> {
  return reading(
    async (at) => landRows(client, storedTables, await openSessions(at, content)),
    undefined,
    memoryLimit,
    threads,
  );
}

/** A table with the columns that the vendor's rows fill. */
interface FilledTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string }[];
}

/** Brings rows into tables, which are emptied before. */
export async function landRows(
  client: pg.Client,
  tables: readonly FilledTable[],
  file: FileRows,
): Promise<LandedSessions> {
  const names = tables.map(({ name }) => name);
  await client.query(`truncate ${[...names, 'quarantine'].join(', ')}`);
  const copyInto = async (rows: Readable, target: string): Promise<number> => {
    const copy = client.query(copyFrom(`copy ${target} from stdin (${rowTextOfPostgres})`));
    await pipeline(rows, copy);
    return copy.rowCount;
  };
  const copy = (rows: Readable, { name, columns }: FileTable): Promise<number> =>
    copyInto(rows, `${name} (${columns.map((column) => pg.escapeIdentifier(column)).join(', ')})`);
  const taken = await file.good(copy);
  await file.bad((bad) => copyInto(bad, 'quarantine'));
  const rows: Record<string, readonly TextRow[]> = {};
  for (const { name, columns } of tables) {
    const texts = [...columns.map((column) => column.name), '_file_id', '_line', '_extra'].map(
      (column) => `${pg.escapeIdentifier(column)}::text`,
    );
    const order = columns.some((column) => column.name === 'ordinal') ? 't._line, t.ordinal' : 't._line';
    const found = await client.query<TextRow>(`select ${texts.join(', ')} from ${name} t order by ${order}`);
    rows[name] = found.rows;
  }
  const { rows: bad } = await client.query<{ line: string; reason: string; raw: string }>(
    'select line, reason, raw from quarantine order by quarantine.line',
  );
  return { parsed: file.parsed(), taken, rows, bad: bad.map((row) => ({ ...row, line: Number(row.line) })) };
}

export async function openSessions(
  at: Reading,
  content: string | Buffer,
): Promise<Awaited<ReturnType<typeof readFile>>> {
  const path = join(at.folder, 'part');
  await writeFile(path, content);
  const shape = { format: 'nested json lines', table: session } as const;
  return readFile(at.connection, shape, { path, key }, constants, at, at.signal);
}
