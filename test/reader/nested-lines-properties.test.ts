import assert from 'node:assert/strict';

import fc from 'fast-check';

import { session, storedTables } from '../../vendors/leanplum/tables.js';
import type { Column, NestedTable, RootTable } from '../../vendors/table.js';
import { unfold } from '../vendors/leanplum/unfold.js';
import { constants } from './landing.js';
import { landSessions, sessionTables, type Sessions } from './nested-landing.js';

type Json =
  string | number | boolean | bigint | null | undefined | readonly Json[] | { readonly [key: string]: Json };

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...Array.from(`\x01\x02\n\r",\\'.;\t N{}[]é😀`)), maxLength: 8 }),
  fc.constantFrom('', '\\.', 'NULL', '\\u0000', '\u2028', '[]', '{}', '1'),
);
const id = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 3n }));
const quoted = id.map(String);
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const instant = fc
  .integer({ min: Date.parse('1900-01-01'), max: Date.parse('2200-01-01') })
  .chain((milliseconds) =>
    fc.constantFrom<Json>(milliseconds / 1_000, `${milliseconds}E-3`, scientific(milliseconds)),
  );
const plain = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
/** What a map may hold; within objects only what both sides write the same way. */
const value = fc.oneof(
  text,
  id,
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom<Json>([1, ['x']], { a: { b: null } }, {}),
);
/** JSON of no column's. */
const unknown = fc.oneof(
  fc.integer(),
  fc.constantFrom('x', 'é"\n'),
  fc.array(fc.integer(), { maxLength: 2 }),
);

const map = fc.dictionary(fc.oneof(text, fc.constantFrom('a', 'B b')), value, { maxKeys: 3 });
/** A field that is absent as often as it is null. */
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof({ weight: 5, arbitrary }, fc.constant(null), fc.constant(undefined));
const list = (arbitrary: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  some(fc.array(arbitrary, { maxLength: 4 }));
const extra = { unknown: fc.option(unknown, { nil: undefined, freq: 3 }) };

const common = {
  name: some(text),
  time: some(instant),
  info: some(fc.oneof(text, plain)),
  timeUntilFirstForUser: some(number),
  parameters: some(map),
  ...extra,
};
const event = fc.record({ eventId: some(fc.oneof(id, quoted)), value: some(number), ...common });
const state = fc.record({ stateId: some(id), duration: some(number), events: list(event), ...common });
const experiment = fc.record({ id: some(id), variantId: some(id), impressed: some(fc.boolean()), ...extra });
const line = fc.record({
  userId: some(text),
  isSession: some(fc.boolean()),
  userBucket: some(id),
  firstRun: some(instant),
  time: some(instant),
  lat: some(number.map(String)),
  duration: some(number),
  states: list(state),
  experiments: list(experiment),
  userAttributes: some(map),
  ...extra,
});

const faulty = [
  '{"sessionId":1',
  '{"states":[{}],"experiments":[{}]}',
  '{"sessionId":2,"states":[{"events":[{},{"parameters":{"a":1,"a":2}}]},{"parameters":{"b":"c"}}]}',
  '{"sessionId":3,"states":[{"events":[{}]}],"userAttributes":{"a":"b","\\u0000":""}}',
  '{"sessionId":4,"states":[{"events":[{"parameters":{"a":"b"}}]}],"experiments":[{},{"id":0.5}]}',
  '{"sessionId":5,"states":[{"events":[{}]},[]]}',
];

describe('any sessions', function () {
  this.timeout(120_000);
  let sessions: Sessions;
  before(async () => {
    sessions = await sessionTables();
  });
  after(() => sessions.drop());

  it('fill the tables as their declaration says, around lines that are left out', async () => {
    const anything = fc.oneof(
      { weight: 6, arbitrary: line.map((fields) => ({ fields })) },
      { weight: 1, arbitrary: fc.constantFrom(...faulty).map((written) => ({ written })) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 8 }), async (items) => {
        const lines = items.map((item, index) =>
          'written' in item
            ? item
            : { fields: { ...item.fields, sessionId: String(2n ** 53n + BigInt(index)) } },
        );
        const content = lines
          .map((item) => `${'written' in item ? item.written : json(item.fields)}\n`)
          .join('');
        const landed = await landSessions(sessions, content);
        const bad = lines.flatMap((item, index) =>
          'written' in item ? [{ line: index + 1, raw: item.written }] : [],
        );
        assert.deepEqual(
          landed.bad.map(({ line, raw }) => ({ line, raw })),
          bad,
        );
        for (const { name, columns } of storedTables) {
          const types = new Map([
            ...columns.map((column) => [column.name, column.type] as const),
            ['_extra', 'jsonb'],
          ]);
          const expected = lines.flatMap((item, index) => {
            if ('written' in item) return [];
            const rows = (unfold(declared, item.fields).get(name) ?? []) as readonly Readonly<
              Record<string, Json>
            >[];
            return rows.map((row) => ({
              _extra: null,
              ...row,
              _line: index + 1,
              _file_id: constants.fileId,
            }));
          });
          assert.deepEqual(
            landed.rows[name]?.map((row) =>
              each(row, (column, text) => fromPostgres(types.get(column), text)),
            ),
            expected.map((row) => each(row, (column, value) => fromFile(types.get(column), column, value))),
            name,
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** The declaration with what no column is for, which is the one field that this test calls unknown. */
const declared: RootTable = {
  ...session,
  columns: [...session.columns, extraColumn()],
  nested: session.nested.map(withExtra),
};

function withExtra(table: NestedTable): NestedTable {
  if (table.within.as === 'map') return table;
  return {
    ...table,
    columns: [...table.columns, extraColumn()],
    nested: (table.nested ?? []).map(withExtra),
  };
}

function extraColumn(): Column {
  return { name: '_extra', type: 'jsonb', field: 'unknown' };
}

function each<T>(
  row: Readonly<Record<string, T>>,
  value: (column: string, value: T) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([column, own]) => [column, value(column, own)]));
}

function fromPostgres(type: string | undefined, text: string | null): unknown {
  if (text === null) return null;
  if (type === 'double precision') return Number(text);
  // Postgres writes `2020-06-06 20:22:42.721+00`.
  if (type === 'timestamptz') return Date.parse(text.replace(' ', 'T').replace('+00', 'Z'));
  return type === 'jsonb' ? (JSON.parse(text) as unknown) : text;
}

function fromFile(type: string | undefined, column: string, value: Json): unknown {
  if (value === null) return null;
  if (column === '_extra') return { unknown: value };
  // JSON has no -0.
  if (type === 'double precision') return Number(value) + 0;
  const text = typeof value === 'string' ? value : json(value);
  return type === 'timestamptz' ? Date.parse(text) : text;
}

/** JSON in which a bigint is a number. */
function json(value: Json): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(json).join()}]`;
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${fields.map(([key, inner]) => `${JSON.stringify(key)}:${json(inner)}`).join()}}`;
}

function scientific(milliseconds: number): string {
  const digits = String(Math.abs(milliseconds)).padStart(2, '0');
  return `${milliseconds < 0 ? '-' : ''}${digits.slice(0, 1)}.${digits.slice(1)}E${digits.length - 4}`;
}
