import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';

import { rulesOf, type MaskRule, type Treatment } from '../../config/mask-rules.js';
import { secret } from '../../config/secret.js';
import { fateOf, type Fate } from '../../reader/masks/fates.js';
import { maskJson, maskTyped } from '../../reader/masks/sql.js';
import { openMasks } from '../../reader/masks/masks.js';

const key = 'a key that is as long as a hash…';
const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex');

type Json = null | string | number | boolean | Json[] | { [key: string]: Json };

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const written = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
const hashed = (value: Json): Json => (value === null ? null : hmac(written(value)));

/** A value that a rule `depth` steps above it hashes. */
function hash(value: Json, depth: number): Json {
  if (Array.isArray(value) && depth < 2) return value.map(hashed);
  if (!isObject(value) || depth > 0) return hashed(value);
  return entries(value, (inner) => hash(inner, 1));
}

function entries(value: Record<string, Json>, of: (value: Json, key: string) => Json | undefined): Json {
  const kept = Object.entries(value).map(([name, inner]) => [name, of(inner, name)] as const);
  return Object.fromEntries(kept.filter(([, inner]) => inner !== undefined)) as Json;
}

/** What the rules say, by asking for each value anew which of them is the most particular. */
function mask(rules: readonly MaskRule[], value: Json, path: readonly string[] = []): Json | undefined {
  const fits = (rule: MaskRule): boolean =>
    rule.path.every((step, index) => index >= path.length || step === '*' || step === path[index]);
  const rule = rules.find((candidate) => candidate.path.length <= path.length && fits(candidate));
  if (rules.some((candidate) => candidate.path.length > path.length && fits(candidate))) {
    if (isObject(value)) return entries(value, (inner, name) => mask(rules, inner, [...path, name]));
    if (Array.isArray(value))
      return value.map((entry, place) => mask(rules, entry, [...path, String(place)]) ?? null);
  }
  if (rule?.treatment === 'drop') return undefined;
  return rule?.treatment === 'hash' ? hash(value, path.length - rule.path.length) : value;
}

const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'b', '0', '1', 'e.mail', "it's", 'ü😀', '{"') },
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 5 })
    .filter((text) => !/["*\0]|__proto__/.test(text)),
);
const { value: json } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('', 'ann@example.com', 'null', '1'),
    fc.maxSafeInteger(),
    // Digits as DuckDB and JavaScript both write them.
    fc.integer({ min: -9_999, max: 9_999 }).map((number) => number + 0.5),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const path = fc.array(fc.oneof(fc.constant('*'), name), { maxLength: 3 });
const someRules = fc
  .array(fc.tuple(path, fc.constantFrom<Treatment>('drop', 'hash', 'keep')), { minLength: 1, maxLength: 4 })
  .map((given) =>
    rulesOf(
      Object.fromEntries(
        given.map(([steps, treatment]) => [['c', ...steps.map(quoted)].join('.'), treatment]),
      ),
    ),
  );
const quoted = (step: string): string => (step === '*' ? step : `"${step}"`);

describe('masked values', function () {
  this.timeout(120_000);
  let connection: DuckDBConnection;
  before(async () => {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    connection = await instance.connect();
    await openMasks(connection, { rules: [], key: secret(key) });
  });
  after(() => connection.closeSync());

  const ask = async (expression: string, ...values: (string | null)[]): Promise<unknown> => {
    const names = values.map((_, index) => `$${index + 1}::varchar as v${index}`).join(', ');
    const query = `select (${expression})::varchar from (select ${names})`;
    return (await connection.runAndReadAll(query, values)).getRows()[0]?.[0];
  };
  const askJson = async (fate: Fate, value: Json): Promise<unknown> => {
    const found = await ask(maskJson('v0::json', fate), JSON.stringify(value));
    return typeof found === 'string' ? (JSON.parse(found) as unknown) : undefined;
  };
  const fate = (given: Record<string, Treatment>): Fate => fateOf(rulesOf(given), 't', 'c');

  it("hashes texts as Node's HMAC-SHA256 does, keys longer than a block too", async () => {
    const texts = fc.string({ unit: 'binary', maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        assert.equal(await ask(maskTyped('text', 'v0', fate({ c: 'hash' })), text), hmac(text));
      }),
    );
    const long = 'k'.repeat(65);
    const other = await (await DuckDBInstance.create(':memory:')).connect();
    await openMasks(other, { rules: [], key: secret(long) });
    const { value } = (await other.runAndReadAll(`select mask_text('ann') as value`)).getRowObjects()[0]!;
    other.closeSync();
    assert.equal(value, createHmac('sha256', long).update('ann').digest('hex'));
  });

  it('are what the rules say, at every key and place', async () => {
    await fc.assert(
      fc.asyncProperty(someRules, json, async (rules, value) => {
        assert.deepEqual(await askJson(fateOf(rules, 't', 'c'), value), mask(rules, value));
      }),
      { numRuns: 150 },
    );
  });

  const cases: readonly (readonly [title: string, Record<string, Treatment>, Json, Json | undefined])[] = [
    [
      'each value of an object',
      { c: 'hash' },
      { 1: 'a', 2: ['b', 3], 4: null },
      { 1: hmac('a'), 2: [hmac('b'), hmac('3')], 4: null },
    ],
    [
      'what lies deeper as it is written',
      { c: 'hash' },
      { a: { b: [1] }, l: [[1, 2]] },
      { a: hmac('{"b":[1]}'), l: [hmac('[1,2]')] },
    ],
    ['a number and the same digits alike', { c: 'hash' }, [7, '7'], [hmac('7'), hmac('7')]],
    ['truth by its word', { c: 'hash' }, true, hmac('true')],
    ['an empty text, but not null', { c: 'hash' }, ['', null], [hmac(''), null]],
    ['one key, which is gone', { 'c.a': 'drop' }, { a: 1, b: 2 }, { b: 2 }],
    ['all keys but one', { c: 'drop', 'c.a': 'keep' }, { a: 1, b: 2 }, { a: 1 }],
    ['entries of a list, whose places stay', { 'c.*': 'drop' }, [1, 2], [null, null]],
    ['one place of a list', { 'c.1': 'drop' }, ['a', 'b', 'c'], ['a', null, 'c']],
    ['a key in every entry', { 'c.*.m': 'hash' }, [{ m: 'a', n: 1 }, 'x'], [{ m: hmac('a'), n: 1 }, 'x']],
    [
      'a key with a dot and a quote in it',
      { [`c."e.m'ail"`]: 'hash' },
      { "e.m'ail": 'a' },
      { "e.m'ail": hmac('a') },
    ],
    [
      'what a rule names by value rather than by key',
      { 'c.*': 'hash' },
      { a: { b: 'x' } },
      { a: { b: hmac('x') } },
    ],
    ['nothing of an empty object', { c: 'hash' }, {}, {}],
    ['all', { c: 'drop' }, { a: 1 }, undefined],
  ];
  for (const [title, rules, given, expected] of cases) {
    it(`${Object.values(rules)[0]}: ${title}`, async () => {
      assert.deepEqual(await askJson(fate(rules), given), expected);
    });
  }

  it('keep a key that is there twice both times', async () => {
    const found = await ask(maskJson('v0::json', fate({ c: 'hash' })), '{"a":"x","a":"y"}');
    assert.equal(found, `{"a":"${hmac('x')}","a":"${hmac('y')}"}`);
  });

  it('stay null where there is none', async () => {
    for (const rules of [
      { c: 'hash' },
      { 'c.a': 'hash' },
      { 'c.*': 'drop' },
      { c: 'drop', 'c.a': 'keep' },
    ] as const) {
      assert.equal(await ask(maskTyped('jsonb', 'v0', fate(rules)), null), null);
      assert.equal(await ask(maskTyped('text', 'v0', fate(rules)), null), null);
    }
  });

  it('of pairs are masked by their key', async () => {
    const sql = maskTyped('text', 'v0', fate({ 'c.email': 'hash', 'c.*': 'drop', 'c.city': 'keep' }), 'v1');
    assert.equal(await ask(sql, 'ann', 'email'), hmac('ann'));
    assert.equal(await ask(sql, 'ann', 'city'), 'ann');
    assert.equal(await ask(sql, 'ann', 'name'), null);
  });

  it('that are kept cost nothing', () => {
    assert.equal(maskTyped('text', 'v0', fate({})), 'v0');
    assert.equal(maskTyped('jsonb', 'v0', fate({ c: 'keep', 'c.a': 'keep' })), 'v0');
    assert.equal(maskTyped('jsonb', 'v0', fate({ 'other:c': 'drop', d: 'hash' })), 'v0');
  });

  it('and their key stand in no query that an error could quote', async () => {
    const failing = `(${maskTyped('text', 'v0', fate({ c: 'hash' }))})::integer`;
    await assert.rejects(ask(failing, 'x'), (error: Error) => {
      assert.ok(!error.message.includes(key.slice(0, 10)));
      return true;
    });
  });
});
