/** Tables of a test's own whose lines come from two generations of a sender, and what lands in them. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

import { rulesOf, type Treatment } from '../../config/mask-rules.js';
import { secret } from '../../config/secret.js';
import { masksOf } from '../../reader/masks/masks.js';
import { readFile } from '../../reader/read-file.js';
import type { Column, NestedTable, RootTable } from '../../vendors/table.js';
import { testDatabase } from '../support/postgres.js';
import { connect, constants } from './landing.js';
import { landRows, type LandedSessions, type Sessions } from './nested-landing.js';
import { reading } from './reading.js';

const below = {
  key: 'ordinal',
  ordinal: 'ordinal',
  ofFile: [],
  inherits: [
    { name: 'site', of: 'site' },
    { name: 'visit', of: 'visit' },
  ],
} as const;
const name: Column = { name: 'name', type: 'text', field: 'key' };
const value: Column = { name: 'value', type: 'text', field: 'value' };
const whole: Column = { name: 'whole', type: 'bigint', field: 'value', lenient: true };
const amount: Column = { name: 'amount', type: 'double precision', field: 'value', lenient: true };
const instant: Column = { name: 'instant', type: 'timestamptz', field: 'value', lenient: true };

/** Notes of one kind, in the field of a list or a map. */
function notes(field: string, as: 'list' | 'map', kind: string, typed: readonly Column[]): NestedTable {
  return {
    ...below,
    name: 'note',
    within: { field, as },
    fixed: { kind, source: `it's ${as}` },
    columns: [name, value, ...typed],
    pairs: { key: 'name', value: 'value' },
  };
}

const step: NestedTable = {
  ...below,
  name: 'step',
  within: { field: 'steps', as: 'list' },
  columns: [
    { name: 'label', type: 'text', field: 'label', older: 'title' },
    { name: 'took', type: 'bigint', field: 'took' },
    { name: 'goals', type: 'jsonb', field: 'goals' },
    { name: 'traits', type: 'jsonb', field: 'traits', older: 'oldTraits' },
  ],
};

export const visit: RootTable = {
  name: 'visit',
  key: 'visit',
  required: ['site', 'began'],
  ofFile: [],
  columns: [
    { name: 'site', type: 'text', field: 'site', older: 'oldSite' },
    { name: 'visit', type: 'text', field: 'visit' },
    { name: 'began', type: 'timestamptz', field: 'began' },
    { name: 'city', type: 'text', field: 'city', older: 'cityName' },
    { name: 'width', type: 'bigint', field: 'width', older: 'screenWidth' },
    { name: 'width_or_null', type: 'bigint', field: 'width', older: 'screenWidth', lenient: true },
  ],
  nested: [
    notes('words', 'list', 'word', []),
    step,
    notes('numbers', 'map', 'number', [whole, amount]),
    notes('instants', 'list', 'instant', [instant]),
    notes('oldWords', 'map', 'word', [whole]),
  ],
};

const columnsOf = ({
  columns,
  ...table
}: RootTable | NestedTable): readonly (readonly [string, string])[] => [
  ...('inherits' in table
    ? [...table.inherits.map((own) => [own.name, 'text'] as const), ['ordinal', 'bigint'] as const]
    : []),
  ...('fixed' in table ? Object.keys(table.fixed ?? {}).map((own) => [own, 'text'] as const) : []),
  ...columns.map((own) => [own.name, own.type] as const),
];

/** Each table once, with the types of its columns. */
export const visitTables = [...new Set([visit, ...visit.nested].map((table) => table.name))].map((table) => ({
  name: table,
  types: new Map([visit, ...visit.nested].filter((own) => own.name === table).flatMap(columnsOf)),
}));

/** Makes them in schema visits. */
export async function createVisits(db: pg.Pool | pg.Client): Promise<void> {
  await db.query('create schema visits');
  for (const { name, types } of visitTables) {
    const columns = [...types].map(([column, type]) => `${pg.escapeIdentifier(column)} ${type}`);
    await db.query(
      `create table visits.${name} (${columns.join(', ')}, _file_id bigint, _line bigint, _extra jsonb)`,
    );
  }
}

/** The tables, in a database of a test's own. */
export async function visitDatabase(): Promise<Sessions> {
  const database = await testDatabase();
  const client = await connect(database.url);
  await createVisits(client);
  await client.query('set search_path = visits');
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

export const maskKey = 'a key that is as long as a hash…';

/** Brings lines into the tables, which are emptied before. */
export async function landVisits(
  { client }: Sessions,
  lines: readonly string[],
  rules: Readonly<Record<string, Treatment>> = {},
): Promise<LandedSessions> {
  const tables = visitTables.map((table) => ({
    name: table.name,
    columns: [...table.types.keys()].map((column) => ({ name: column })),
  }));
  const given = { ...constants, masks: masksOf({ mask: rulesOf(rules), maskKey: secret(maskKey) }) };
  return reading(
    async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, lines.map((line) => `${line}\n`).join(''));
      const shape = { format: 'nested json lines', table: visit } as const;
      const file = await readFile(at.connection, shape, { path, key: 'part' }, given, at, at.signal);
      return landRows(client, tables, file);
    },
    undefined,
    '256MB',
  );
}
