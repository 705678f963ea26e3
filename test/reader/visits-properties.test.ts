import assert from 'node:assert/strict';

import fc from 'fast-check';

import { constants } from './landing.js';
import type { Sessions } from './nested-landing.js';
import { unfoldLine, write, type Fields, type Value } from './unfold-visits.js';
import { landVisits, visit, visitDatabase, visitTables } from './visits.js';

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from(`\x01\x02\n\r",\\'; {}[]é😀`)), maxLength: 6 }),
  fc.constantFrom('', 'x', '{}', '\\u0000'),
);
/** 64 bits, and what is just too long. */
const whole = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -3n, max: 3n }),
);
const tooLong = fc.constantFrom(2n ** 63n, -(2n ** 63n) - 1n, 10n ** 18n * 10n);
const half = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => value + 0.5);
const instant = fc
  .integer({ min: Date.parse('0001-01-01'), max: Date.parse('9999-12-31') })
  .map((milliseconds) => BigInt(milliseconds));
/** JSON of no column's, or of one that keeps it so. */
const json: fc.Arbitrary<Value> = fc.oneof(
  fc.oneof(whole, half, fc.boolean(), fc.constantFrom('', 'é"\n', '[')),
  fc.constantFrom<Value>([], { fields: [] }, [null, [1n]], { fields: [['a', { fields: [['b', null]] }]] }),
);
const anything = fc.oneof(
  text,
  whole.map(String),
  tooLong,
  tooLong.map(String),
  half.map(String),
  instant,
  json,
);

/** A field that is absent as often as it is null. */
const some = (arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 4, arbitrary }, fc.constant(null), fc.constant(undefined));
/** One that is wrong now and then. */
const mostly = (arbitrary: fc.Arbitrary<Value>, ...wrong: Value[]): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 40, arbitrary }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });
const unknown = { unknown: some(json), Label: some(json) };

/** Fields in any order, sometimes one twice. */
const object = (fields: Readonly<Record<string, fc.Arbitrary<Value | undefined>>>): fc.Arbitrary<Fields> =>
  fc
    .tuple(
      fc.record(fields),
      fc.shuffledSubarray(Object.keys(fields), { minLength: Object.keys(fields).length }),
      fc.oneof({ weight: 60, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    )
    .map(([values, order, twice]) => {
      const all = order.flatMap((name): [string, Value][] => {
        const value = values[name];
        return value === undefined ? [] : [[name, value]];
      });
      return { fields: [...all, ...all.slice(0, twice)] };
    });
const list = (item: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  some(mostly(fc.array(mostly(item, null, 'x', []), { maxLength: 3 }), { fields: [] }, 'x', 0n));
const map = some(
  mostly(
    fc
      .uniqueArray(fc.tuple(fc.oneof(text, fc.constantFrom('1', '0', 'a')), anything), {
        selector: ([key]) => key,
        maxLength: 3,
      })
      .map((fields) => ({ fields })),
    [],
    'x',
    {
      fields: [
        ['a', 1n],
        ['a', 1n],
      ],
    },
  ),
);

const note = object({ key: some(text), value: some(anything), unknown: some(json) });
const step = object({
  label: some(text),
  title: some(anything),
  took: some(mostly(whole, 'x', 0.5)),
  goals: some(json),
  traits: some(json),
  oldTraits: some(json),
  ...unknown,
});
const line = object({
  site: fc.oneof({ weight: 10, arbitrary: text }, fc.constantFrom(null, undefined)),
  oldSite: some(text),
  visit: fc.oneof({ weight: 30, arbitrary: text }, fc.constantFrom(null, undefined)),
  began: fc.oneof({ weight: 30, arbitrary: mostly(instant, 'soon') }, fc.constantFrom(null, undefined)),
  city: some(anything),
  cityName: some(anything),
  width: some(mostly(whole, 'wide', 2n ** 63n)),
  screenWidth: some(mostly(whole.map(String), 'wide')),
  words: list(note),
  numbers: map,
  instants: list(note),
  oldWords: map,
  steps: list(step),
  ...unknown,
});

describe('any lines of two generations', function () {
  this.timeout(120_000);
  let database: Sessions;
  before(async () => {
    database = await visitDatabase();
  });
  after(() => database.drop());

  it('fill the tables as their declaration says, around lines that are left out', async () => {
    let [good, left] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (some, isSentTwice) => {
          const lines = isSentTwice ? [...some, ...some] : some;
          const unfolded = lines.map((one) => unfoldLine(visit, one));
          const landed = await landVisits(database, lines.map(write));
          assert.deepEqual(
            landed.bad.map((bad) => [bad.line, bad.raw]),
            lines.flatMap((one, index) => (unfolded[index] ? [] : [[index + 1, write(one)]])),
          );
          good += landed.taken;
          left += landed.bad.length;
          for (const { name, types } of visitTables) {
            const expected = unfolded.flatMap((tables, index) =>
              (tables?.get(name) ?? []).map((row) => ({
                ...Object.fromEntries([...types.keys()].map((column) => [column, null])),
                ...row,
                _file_id: BigInt(constants.fileId),
                _line: BigInt(index + 1),
              })),
            );
            const typeOf = (column: string): string =>
              types.get(column) ?? (column === '_extra' ? 'jsonb' : 'bigint');
            assert.deepEqual(
              landed.rows[name]?.map((row) => each(row, (own, value) => fromPostgres(typeOf(own), value))),
              expected.map((row) => each<Value>(row, (own, value) => comparable(typeOf(own), value))),
              name,
            );
          }
        },
      ),
      { numRuns: 25 },
    );
    assert.ok(good > left && left > 0, `${good} good lines and ${left} bad ones`);
  });
});

function each<T>(
  row: Readonly<Record<string, T>>,
  value: (column: string, value: T) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([column, own]) => [column, value(column, own)]));
}

/** Numbers in JSON are texts with a mark, so that they are compared by all their digits. */
function exact(json: string): unknown {
  const marked = json.replace(/"([^"\\]|\\.)*"|[^\s[\]{}:,"a-z]+/g, (part) =>
    part.startsWith('"') ? part : `"# ${part}"`,
  );
  return JSON.parse(marked);
}

function fromPostgres(type: string, value: string | null): unknown {
  if (value === null) return null;
  if (type === 'jsonb') return exact(value);
  if (type === 'double precision') return Number(value);
  return type === 'timestamptz' ? epoch(value) : value;
}

/** Postgres writes `0009-06-06 20:22:42.721+00`. */
function epoch(text: string): string {
  return String(Date.parse(text.replace(' ', 'T').replace('+00', 'Z')));
}

function comparable(type: string, value: Value): unknown {
  if (value === null) return null;
  if (type === 'jsonb') return exact(write(value));
  return type === 'double precision' ? value : typeof value === 'string' ? value : write(value);
}
