import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { rowTextOfPostgres } from '../../model/row-text.js';
import { readFile } from '../../reader/read-file.js';
import type { Column, FileShape } from '../../vendors/table.js';
import { constants, type Landed } from './landing.js';
import { reading } from './reading.js';

const columns: readonly Column[] = [
  { name: 'id', type: 'bigint', field: 'id' },
  { name: 'says', type: 'text', field: 'says' },
  { name: 'a_number', type: 'double precision', field: 'aNumber' },
  { name: 'a_flag', type: 'boolean', field: 'aFlag' },
  { name: 'an_instant', type: 'timestamptz', field: 'anInstant' },
];

/** A CSV file of a column of each type, of which an id is needed. */
export const sayings: FileShape = {
  format: 'csv',
  columns,
  file: {
    table: 'sayings',
    headers: { id: 'sayingId', says: 'says', a_number: 'aNumber', a_flag: 'aFlag', an_instant: 'start' },
    required: ['id'],
  },
};

/** Text of such a file with two columns. */
export function csv(...lines: readonly string[]): string {
  return ['sayingId,says', ...lines, ''].join('\n');
}

/** Brings such a file into Postgres, as a step does. */
export function landSayings(
  client: pg.Client,
  content: string | Buffer,
  memoryLimit?: string,
): Promise<Landed> {
  return reading(
    async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, content);
      const file = { path, key: 'output-3' };
      const rows = await readFile(at.connection, sayings, file, constants, at, at.signal);
      const [table, ...more] = rows.tables;
      assert.deepEqual([table.name, more], ['sayings', []]);
      await client.query(`
        drop table if exists landed, quarantine;
        create table landed (id bigint, says text, a_number float8, a_flag boolean, an_instant timestamptz,
          _file_id bigint not null, _line bigint primary key, _extra jsonb);
        create table quarantine (load_id bigint, file_id bigint, line bigint primary key, reason text not null,
          raw text not null)`);
      const into = (target: string) => async (source: Readable) => {
        const copy = client.query(copyFrom(`copy ${target} from stdin (${rowTextOfPostgres})`));
        await pipeline(source, copy);
        return copy.rowCount;
      };
      await rows.good(into(`landed (${table.columns.join(', ')})`));
      await rows.bad(into('quarantine'));
      const landed = await landedRows(client, rows.parsed());
      assert.equal(landed.parsed, landed.rows.length + landed.bad.length);
      return landed;
    },
    undefined,
    memoryLimit,
  );
}

async function landedRows(client: pg.Client, parsed: number): Promise<Landed> {
  const { rows } = await client.query<Record<string, string | null>>(
    `select id::text, says, a_number::text, a_flag::text, an_instant::text, _line::text, _extra::text,
       _file_id::text
     from landed l order by l._line`,
  );
  const bad = await client.query<{ line: string; reason: string; raw: string }>(
    'select line, reason, raw from quarantine order by line',
  );
  return { parsed, rows, bad: bad.rows.map((row) => ({ ...row, line: Number(row.line) })) };
}

/** Line and what is said of the rows that were loaded. */
export function said({ rows }: Landed): [number, string | null | undefined][] {
  return rows.map((row) => [Number(row['_line']), row['says']]);
}

/** Line and reason of the others. */
export function faults({ bad }: Landed): [number, string][] {
  return bad.map(({ line, reason }) => [line, reason]);
}

/** The whole message of a file that cannot be read. */
export function unreadable(word: string): { readonly name: string; readonly message: string } {
  return {
    name: 'FileUnreadable',
    message:
      `output-3 cannot be read as CSV: ${word} It is looked at again until it is written anew or the delivery's ` +
      `deadline passes.`,
  };
}
