import assert from 'node:assert/strict';

import fc from 'fast-check';

import type { Treatment } from '../../config/mask-rules.js';
import { session, storedTables } from '../../vendors/monetate/tables.js';
import { unfold, Written, written } from '../vendors/monetate/unfold.js';
import { landVisits, visitTables, type Visits } from './documents-landing.js';
import { maskedSession, masksFor } from './masked-session.js';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...Array.from(`\x01\x02\n\r",\\'.;\t N{}[]é😀`)), maxLength: 8 }),
  fc.constantFrom('', '\\.', 'NULL', '\\u0000', '\u2028', '[]', '{}', '1', 'true', 'null', '__proto__'),
);
const whole = fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
/** A fraction that a double holds, so that it has one text. */
const decimal = fc
  .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.constantFrom('1', '25', '9'))
  .map(([whole, fraction]) => new Written(`${whole}.${fraction}`));
const digits = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(999_999_999));
/** A number that only numeric holds, as a number or as a text. */
const exact = fc
  .tuple(digits, fc.constantFrom('', 'e5', 'E-7', 'e+2'), fc.boolean())
  .map(([[whole, fraction], exponent, quoted]) => {
    const number = `${whole}.${fraction}${exponent}`;
    return quoted ? number : new Written(number);
  });
const milliseconds = fc.integer({ min: Date.parse('0001-01-01'), max: Date.parse('9999-12-31') });
const instant = fc.tuple(milliseconds, fc.boolean()).map(([at, quoted]) => (quoted ? String(at) : at));
const scalar = fc.oneof(text, whole, decimal, fc.boolean(), fc.constant(null));

const objectOf = (
  key: fc.Arbitrary<string>,
  value: fc.Arbitrary<unknown>,
  maxLength = 4,
): fc.Arbitrary<unknown> => fc.array(fc.tuple(key, value), { maxLength }).map((pairs) => new Map(pairs));
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    { weight: 3, arbitrary: scalar },
    fc.array(tie('anything'), { maxLength: 3 }),
    objectOf(text, tie('anything'), 3),
  ),
}));

/** Names that columns are lifted from, and others. */
const names = fc.constantFrom(
  ...session.nested.flatMap(({ columns }) =>
    columns.flatMap((column) => ('fields' in column ? (column.fields ?? []) : [])),
  ),
);
const lifted = fc.oneof(
  exact,
  instant,
  scalar,
  fc.constantFrom<unknown>(
    '2026-11-20T10:10:05Z',
    '2026-11-20T10:10:05.5+02:00',
    'yesterday',
    'NaN',
    '1e400',
    '.5',
    ' 7 ',
  ),
  anything,
);
const item = fc.oneof({ weight: 4, arbitrary: objectOf(fc.oneof(names, names, text), lifted, 6) }, anything);
const items = fc.oneof(
  { weight: 3, arbitrary: fc.array(item, { maxLength: 4 }) },
  objectOf(text, item),
  anything,
);
const purchase = fc.tuple(items, objectOf(names, lifted), fc.boolean()).map(([items, fields, first]) => {
  const others = [...(fields as ReadonlyMap<string, unknown>)];
  return new Map<string, unknown>(first ? [['items', items], ...others] : [...others, ['items', items]]);
});

const ofType = {
  text: fc.oneof(text, whole, fc.boolean()),
  bigint: fc.oneof(whole, whole.map(String)),
  boolean: fc.constantFrom<unknown>('t', 'f', true, false, 'true', 'F'),
  numeric: fc.oneof(exact, whole, decimal),
  timestamptz: instant,
  'double precision': fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  jsonb: anything,
} as const;
const ofField: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  offers: objectOf(text, instant),
  page_event_ids: objectOf(text, fc.option(instant)),
  purchases: objectOf(text, fc.option(ofType.numeric)),
  custom_targets: fc.oneof({ weight: 4, arbitrary: objectOf(text, anything) }, anything),
  view_lines: items,
  cart_lines: items,
  purchase_lines: fc.oneof({ weight: 4, arbitrary: objectOf(text, fc.oneof(purchase, anything)) }, anything),
};
const field = fc.oneof(
  ...session.columns.flatMap((column) => {
    if (!('field' in column) || column.field === 'session_id') return [];
    const value = ofField[column.field] ?? ofType[column.type];
    const weight = column.field in ofField ? 4 : 1;
    return [{ weight, arbitrary: fc.tuple(fc.constant(column.field), fc.option(value, { freq: 8 })) }];
  }),
  {
    weight: 4,
    arbitrary: fc.tuple(
      text.map((name) => `x ${name}`),
      anything,
    ),
  },
);
const line = fc.array(field, { maxLength: 15 });

/** Rules that may be given or not. None hides that a line is bad, and none is of `_extra` as a whole and its keys. */
const hashable = fc.constantFrom<Treatment>('hash', 'drop', 'keep');
const someRules = fc.record(
  {
    session_id: fc.constant<Treatment>('hash'),
    guid: hashable,
    customer_id: hashable,
    customer_link: fc.constant<Treatment>('hash'),
    custom_targets: hashable,
    'custom_targets.1': hashable,
    'custom_targets.*.1': hashable,
    'custom_targets.*.*': hashable,
    purchases: hashable,
    offers: hashable,
    'offers.1': hashable,
    page_event_ids: fc.constant<Treatment>('drop'),
    'view_lines.*.sku': fc.constant<Treatment>('hash'),
    'view_lines.*': fc.constantFrom<Treatment>('hash', 'keep'),
    'cart_lines.*.*': fc.constantFrom<Treatment>('hash', 'keep'),
    'purchase_lines.*.items.*.price': fc.constant<Treatment>('hash'),
    _extra: hashable,
  },
  { requiredKeys: [] },
);

const faulty = [
  '{"session_id":1',
  '{"offers":{"1":1},"view_lines":[{}]}',
  '{"session_id":"2","view_lines":[{}],"purchases":{"a":"b"}}',
  '{"session_id":"3","custom_targets":{"a":["b"],"c":1},"offers":{"\\u0000":1}}',
  '{"session_id":"4","purchase_lines":{"a":{"items":[{"sku":1,"\\u0073ku":2}]}}}',
  '{"session_id":"5","cart_lines":{"a":1,"a":1}}',
];

describe('any documents', function () {
  this.timeout(180_000);
  let visits: Visits;
  before(async () => {
    visits = await visitTables();
  });
  after(() => visits.drop());

  const fillTables = async (
    ofRules: fc.Arbitrary<Readonly<Record<string, Treatment>>>,
    numRuns: number,
  ): Promise<void> => {
    const anyLine = fc.oneof({ weight: 6, arbitrary: line }, fc.constantFrom(...faulty));
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { minLength: 1, maxLength: 6 }), ofRules, async (items, rules) => {
        const lines = items.map((item, index) =>
          typeof item === 'string' ? item : new Map<string, unknown>([['session_id', `s ${index}`], ...item]),
        );
        const texts = lines.map((line) => (typeof line === 'string' ? line : written(line)));
        const masks = masksFor(rules);
        const content = texts.map((text) => `${text}\n`).join('');
        const landed = await landVisits(visits, [content], undefined, undefined, masks);
        assert.deepEqual(
          landed.bad.map(({ line, raw }) => (masks ? [line] : [line, raw])),
          lines.flatMap((line, index) =>
            typeof line === 'string' ? [masks ? [index + 1] : [index + 1, line]] : [],
          ),
        );
        const pairs: [type: string, found: string, expected: string][] = [];
        for (const { name, columns } of storedTables) {
          const expected = lines.flatMap((line, index) => {
            if (typeof line === 'string') return [];
            const left = maskedSession(line, rules);
            const extra = new Map([...left].filter(([key]) => key.startsWith('x ')));
            const wholePairs = Object.fromEntries([...left].filter(([key]) => pairFields.has(key)));
            return (unfold(session, withoutHashedPairs(left)).get(name) ?? []).map((row) => ({
              ...row,
              ...(name === 'session' ? wholePairs : {}),
              ...(name === 'session'
                ? { _extra: extra.size > 0 ? extra : null, export_date: '2026-11-20' }
                : { _extra: null }),
              _line: index + 1,
              _file_id: 1,
            }));
          });
          const types = new Map<string, string>([
            ...columns.map(({ name, type }) => [name, type] as const),
            ['_extra', 'jsonb'],
          ]);
          assert.equal(landed.rows[name]?.length, expected.length, name);
          for (const [index, row] of (landed.rows[name] ?? []).entries()) {
            for (const [column, found] of Object.entries(row)) {
              const value = (expected[index] as Record<string, unknown>)[column] ?? null;
              const place = `${name}.${column} of row ${index}`;
              const type = types.get(column) ?? 'bigint';
              if (found === null || value === null) assert.equal(found, value, place);
              else if (type === 'jsonb' || type === 'numeric') pairs.push([type, found, asText(type, value)]);
              else assert.deepEqual(comparable(type, found), comparable(type, asText(type, value)), place);
            }
          }
        }
        await allEqual(visits, pairs);
      }),
      { numRuns },
    );
  };

  it('fill the tables as their declaration says, around lines that are left out', () =>
    fillTables(fc.constant({}), 100));

  it('fill them as a session does that has been masked before', () => fillTables(someRules, 40));
});

const pairFields = new Set(['offers', 'page_event_ids', 'purchases']);

/** Instants and money have no value where they are hashed. */
function withoutHashedPairs(line: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const value = (found: unknown): unknown =>
    typeof found === 'string' && /^[0-9a-f]{64}$/.test(found) ? null : found;
  return new Map(
    [...line].map(([field, found]) => [
      field,
      pairFields.has(field) && found instanceof Map
        ? new Map([...(found as ReadonlyMap<string, unknown>)].map(([key, of]) => [key, value(of)]))
        : found,
    ]),
  );
}

/** JSON and numbers are equal by what they say; Postgres knows. */
async function allEqual(
  { client }: Visits,
  pairs: readonly [type: string, found: string, expected: string][],
): Promise<void> {
  for (const type of ['jsonb', 'numeric']) {
    const of = pairs.filter(([own]) => own === type);
    const { rows } = await client.query(
      `select * from unnest($1::text[], $2::text[]) as t (found, expected) where found::${type} <> expected::${type}`,
      [of.map(([, found]) => found), of.map(([, , expected]) => expected)],
    );
    assert.deepEqual(rows, []);
  }
}

/** What the oracle means, as Postgres would take it. */
function asText(type: string, value: unknown): string {
  return typeof value === 'string' && type !== 'jsonb' ? value : written(value);
}

function comparable(type: string, text: string): unknown {
  if (type === 'double precision') return Number(text);
  // Postgres writes `2020-06-06 20:22:42.721+00`, and of years before 1 what is not looked for here.
  if (type === 'timestamptz') return Date.parse(text.replace(' ', 'T').replace(/\+00$/, 'Z'));
  if (type === 'boolean') return text.toLowerCase().startsWith('t');
  // JSON as text, written by two hands.
  if (type === 'text' && /^[[{]./.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  return text;
}
