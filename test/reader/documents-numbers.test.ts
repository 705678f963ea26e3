import assert from 'node:assert/strict';

import fc from 'fast-check';

import { mayHaveLongNumber } from '../../reader/documents/numbers.js';
import { landVisits, visitTables, type Visits } from './documents-landing.js';

const digits = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), minLength: 1, maxLength });
const whole = fc
  .tuple(fc.constantFrom('', '-'), digits(25))
  .map(([sign, digits]) => `${sign}${BigInt(digits)}`);
const exponent = fc
  .tuple(fc.constantFrom('e', 'E', 'e+', 'E-', 'e-'), fc.nat(400))
  .map(([e, at]) => `${e}${at}`);
/** Fractions of any length; whole numbers with an exponent, of as many digits as a double has. */
const fraction = fc.tuple(whole, digits(40)).map(([whole, digits]) => `${whole}.${digits}`);
const scientific = fc
  .tuple(fc.integer({ min: -999_999, max: 999_999 }), exponent)
  .map(([whole, e]) => `${whole}${e}`);
const long = fc.tuple(fraction, exponent).map(([fraction, e]) => `${fraction}${e}`);
const number = fc.oneof(whole, fraction, scientific, long);

describe('numbers of documents', function () {
  this.timeout(120_000);
  let visits: Visits;
  before(async () => {
    visits = await visitTables();
  });
  after(() => visits.drop());

  it('keep all their digits, in columns, in JSON, and lifted out of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(number, fc.boolean()), { minLength: 1, maxLength: 6 }),
        async (numbers) => {
          const lines = numbers.map(([number, text], index) => {
            const value = text ? `"${number}"` : number;
            return (
              `{"session_id":"${index}","guid":"1.5,${number}}","session_value":${value},"purchases":{"o":${value}},` +
              `"custom_targets":{"t":["x",{"k":${value}}]},"view_lines":[{"price":${value},"other":[${value}]}],` +
              `"purchase_lines":{"o":{"total":${value},"items":[{"price":${value}}]}},"new":{"n":${value}}}`
            );
          });
          const { rows, bad } = await landVisits(visits, [lines.map((line) => `${line}\n`).join('')]);
          assert.deepEqual(bad, []);
          const { rows: different } = await visits.client.query(
            `select s.session_id, s.session_value, v.unit_price, i.unit_price as item_price
           from unnest($1::numeric[], $2::jsonb[]) with ordinality as written (number, line, at)
           left join session s on s._line = at
           left join session_purchase p on p._line = at
           left join session_view_line v on v._line = at
           left join session_purchase_item i on i._line = at
           where not coalesce(number = s.session_value and number = p.value and number = v.unit_price
             and number = i.unit_price and number = i.purchase_total_value
             and line -> 'custom_targets' = s.custom_targets and line -> 'view_lines' = s.view_lines
             and line -> 'view_lines' -> 0 = v.item and line -> 'purchase_lines' = s.purchase_lines
             and line -> 'purchases' = s.purchases and line -> 'new' = s._extra -> 'new'
             and line ->> 'guid' = s.guid, false)`,
            [numbers.map(([number]) => number), lines],
          );
          assert.deepEqual(different, []);
          const targets = rows['session_custom_target']?.filter(({ ordinal }) => ordinal === '2');
          const { rows: texts } = await visits.client.query<{ same: boolean }>(
            `select a::jsonb = b -> 'custom_targets' -> 't' -> 1 as same from unnest($1::text[], $2::jsonb[]) as t (a, b)`,
            [targets?.map(({ value }) => value), lines],
          );
          assert.ok(texts.every(({ same }) => same));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are refused where Postgres would refuse them, and only there or near it', async () => {
    const refused = [
      'NaN',
      '"NaN"',
      '"Infinity"',
      '"1e99999"',
      '"-1E-20000"',
      '""',
      '" "',
      '"0x1F"',
      '"1_000"',
      '"1,5"',
    ];
    const ofText = [`"${'1'.repeat(5_001)}"`, '"."', '"e5"', '"1e"', '"--1"', '{}', '[1]', 'true', '"٣"'];
    const taken = [
      '0',
      '-0',
      '"+1"',
      '" 1 "',
      '"1."',
      '".5"',
      '"1e9999"',
      '"-1E-9999"',
      `"${'1'.repeat(5_000)}"`,
    ];
    const land = (values: readonly string[]): ReturnType<typeof landVisits> =>
      landVisits(visits, [
        values.map((value, index) => `{"session_id":"${index}","session_value_ss":${value}}\n`).join(''),
      ]);
    const { bad } = await land([...refused, ...ofText]);
    assert.equal(bad.length, refused.length + ofText.length);
    for (const { reason } of bad)
      assert.match(reason, /^session_value_ss is not a decimal number that numeric can hold/);
    assert.deepEqual((await land(taken)).bad, []);
  });

  it('that are too long for jsonb make a bad line', async () => {
    const number = `0.${'1'.repeat(6_000)}`;
    const { bad, rows } = await landVisits(visits, [
      `{"session_id":"a","new":${number}}\n{"session_id":"b","guid":"${number}"}\n{"session_id":"c","new":0.${'1'.repeat(4_000)}}\n`,
    ]);
    assert.deepEqual(
      bad.map(({ line, reason }) => [line, reason]),
      [[1, 'the line holds a number that is longer than 5000 letters']],
    );
    assert.equal(rows['session']?.[0]?.['guid'], number);
    assert.equal(rows['session']?.[1]?.['_extra'], `{"new": 0.${'1'.repeat(4_000)}}`);
  });

  describe('that may have more digits than a double', () => {
    const seen = (text: string): boolean => mayHaveLongNumber(Buffer.from(text));

    it('are seen wherever they stand', () => {
      for (const text of [
        '{"a":1234567.1}',
        '[0.123456789 ]',
        '[1.1,-0.123456789]',
        '{"a":1.1234567891e5}',
        '[1e-300]',
      ]) {
        assert.ok(seen(text), text);
      }
      assert.ok(seen('9.123456789'), 'that a chunk begins and ends with');
      assert.ok(seen('[1e-3'), 'that a chunk breaks off');
    });

    it('and are not what is usual: prices, times, visitors, versions', () => {
      for (const text of [
        '{"guid":"1234:2.1000000000.1795169400123","session_id":"1234:2.1000000000.1795169400123:1:1:2"}',
        '{"price":123456.99,"time":1795169400123,"version":"10.15.7"}',
        '{"id":9007199254740993,"name":"a-e-123"}',
        '[1e-30, 12345678]',
      ]) {
        assert.equal(seen(text), false, text);
      }
    });
  });
});
