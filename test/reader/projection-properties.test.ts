import assert from 'node:assert/strict';

import fc from 'fast-check';
import type pg from 'pg';

import { literal } from '../../reader/duckdb.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, land } from './landing.js';
import { reading } from './reading.js';

/** What a vendor may write into a row; the text may hold any character, NUL included. */
interface Row {
  readonly uuid: string | null;
  readonly aText: string | null;
  readonly anInstant: number | null;
  readonly aCount: bigint | null;
  readonly aNumber: number | null;
  readonly aFlag: boolean | null;
  readonly someJson: readonly { readonly name: string | null; readonly value: number | null }[] | null;
  readonly unknown: string | null;
}

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary' }) },
  {
    weight: 2,
    arbitrary: fc.string({ unit: fc.constantFrom(...Array.from(`\0\x01\x02\n\r",\\'.;\t N{}[]u0é😀`)) }),
  },
  fc.constantFrom(
    '',
    '\\.',
    '\n\\.\n',
    '""',
    '\\N',
    'NULL',
    '\\u0000',
    '\\\\u0000',
    'NaN',
    '\ufeff',
    '\u2028',
  ),
  { weight: 1, arbitrary: fc.nat(200_000).map((length) => 'ü"\n'.repeat(length / 3)) },
);
const instant = fc.oneof(
  fc.integer({ min: Date.parse('2000-01-01'), max: Date.parse('2100-01-01') }),
  fc.integer({ min: -250_000_000_000_000, max: 290_000_000_000_000 }),
);
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq: 5 });

const row: fc.Arbitrary<Row> = fc.record({
  uuid: orNull(fc.oneof(fc.uuid(), text)),
  aText: orNull(text),
  anInstant: orNull(instant),
  aCount: orNull(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  aNumber: orNull(fc.double()),
  aFlag: orNull(fc.boolean()),
  someJson: orNull(fc.array(fc.record({ name: orNull(text), value: orNull(fc.double()) }), { maxLength: 3 })),
  unknown: orNull(text),
});
/** Duplicates of a key are for publishing to find. */
const rows = fc.uniqueArray(row, { minLength: 1, maxLength: 12, selector: ({ uuid }) => uuid ?? Symbol() });

const earliest = Date.parse('0001-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** The promise, in the words of the design: what is left out has one of these reasons, and all else lands. */
function isBad(row: Row): boolean {
  const texts = [row.uuid, row.aText, row.unknown, ...(row.someJson ?? []).map(({ name }) => name)];
  return (
    row.uuid === null ||
    Buffer.byteLength(row.uuid) > 1000 ||
    texts.some((value) => value?.includes('\0') === true) ||
    (row.anInstant !== null && (row.anInstant < earliest || row.anInstant > latest)) ||
    (row.someJson ?? []).some(({ value }) => value !== null && !Number.isFinite(value))
  );
}

describe('any rows of a Parquet file', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let client: pg.Client;
  before(async () => {
    database = await testDatabase();
    client = await connect(database.url);
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  it('land as they are, or are kept as bad rows with line and reason', () =>
    reading((at) =>
      fc.assert(
        fc.asyncProperty(rows, async (written) => {
          const landed = await land(at, client, selectOf(written));
          const lines = written.map((row, index) => ({ row, line: index + 1 }));
          const bad = lines.filter(({ row }) => isBad(row));
          const good = lines.filter(({ row }) => !isBad(row));
          assert.deepEqual(
            landed.bad.map(({ line }) => line),
            bad.map(({ line }) => line),
          );
          for (const { reason, raw } of landed.bad) assert.ok(reason !== '' && raw.startsWith('{'));
          assert.deepEqual(
            landed.rows.map((values) => Number(values['_line'])),
            good.map(({ line }) => line),
          );
          landed.rows.forEach((values, index) => sameValues(values, good[index]!.row));
        }),
        { numRuns: 100 },
      ),
    ));

  it('land whatever the size of their row groups', () =>
    reading(async (at) => {
      const { rows: landed, bad } = await land(at, client, manyRows);
      assert.equal(landed.length + bad.length, 50_000);
      assert.equal(bad.length, 50);
      assert.ok(
        landed.every((values, index) => index === 0 || Number(values['_line']) > previous(landed, index)),
      );
    }));
});

const manyRows = `select 'id-' || i as uuid, repeat(chr(34) || e'\\n', (i % 50)::integer) as aText,
  case when i % 1000 = 0 then 0.5 else i end as aCount from range(50000) as numbers(i)`;

function previous(landed: readonly Readonly<Record<string, string | null>>[], index: number): number {
  return Number(landed[index - 1]?.['_line']);
}

function sameValues(landed: Readonly<Record<string, string | null>>, written: Row): void {
  assert.equal(landed['id'], written.uuid);
  assert.equal(landed['a_text'], written.aText);
  assert.equal(landed['a_count'], written.aCount === null ? null : String(written.aCount));
  assert.equal(landed['a_flag'], written.aFlag === null ? null : String(written.aFlag));
  assert.equal(landed['an_instant'], written.anInstant === null ? null : postgresInstant(written.anInstant));
  const number = landed['a_number'];
  if (written.aNumber === null) assert.equal(number, null);
  else assert.ok(Object.is(Number(number), written.aNumber), `${number} is not ${written.aNumber}`);
  const json = landed['some_json'] as string | null;
  // JSON has no -0.
  const values = written.someJson?.map(({ name, value }) => ({ name, value: value === 0 ? 0 : value }));
  assert.deepEqual(json === null ? null : withoutMinusZero(json), values ?? null);
  const extra = landed['_extra'] as string | null;
  assert.deepEqual(
    extra === null ? null : JSON.parse(extra),
    written.unknown === null ? null : { unknown: written.unknown },
  );
}

function withoutMinusZero(json: string): unknown {
  return JSON.parse(json, (_, value: unknown) => (value === 0 ? 0 : value));
}

/** As Postgres writes it: `2026-03-01 12:00:00.5+00`. */
function postgresInstant(instant: number): string {
  const [day = '', time = ''] = new Date(instant).toISOString().replace('Z', '').split('T');
  return `${day} ${time.replace(/\.?0+$/, '')}+00`;
}

/** The rows as a query of DuckDB, with the types that such columns have in files. */
function selectOf(written: readonly Row[]): string {
  const tuples = written.map(
    (row) => `(
      ${textOf(row.uuid)}, ${textOf(row.aText)},
      ${row.anInstant === null ? 'null' : `make_timestamp_ms(${row.anInstant})`},
      ${row.aCount === null ? 'null' : `'${row.aCount}'::bigint`},
      ${numberOf(row.aNumber)}, ${row.aFlag ?? 'null'},
      ${row.someJson === null ? 'null' : `[${row.someJson.map((item) => `{'name': ${textOf(item.name)}, 'value': ${numberOf(item.value)}}`).join(', ')}]`},
      ${textOf(row.unknown)}
    )`,
  );
  return `select uuid::varchar as uuid, aText::varchar as aText, anInstant::timestamp as anInstant,
      aCount::bigint as aCount, aNumber::double as aNumber, aFlag::boolean as aFlag,
      someJson::struct(name varchar, value double)[] as someJson, unknown::varchar as unknown
    from (values ${tuples.join(', ')})
      as rows(uuid, aText, anInstant, aCount, aNumber, aFlag, someJson, unknown)`;
}

function textOf(value: string | null): string {
  if (value === null) return 'null::varchar';
  return `(${value
    .split('\0')
    .map((part) => literal(part))
    .join(' || chr(0) || ')})`;
}

function numberOf(value: number | null): string {
  if (value === null) return 'null::double';
  return Object.is(value, -0) ? `'-0.0'::double` : `'${value}'::double`;
}
