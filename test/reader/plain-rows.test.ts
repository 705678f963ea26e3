import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';
import type pg from 'pg';

import { plainReader } from '../../reader/lines/plain-rows.js';
import type { Table } from '../../vendors/table.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, constants, everyType, landFile, type Landed } from './landing.js';
import { reading, type Reading } from './reading.js';

/** What stands for a value: each type takes some of these in its own way, and others not at all. */
const tricky = [
  ...String.raw`null true false nulll tru truex NaN -Infinity [] {} [1,null] [1,] {"a":{"b":"é"}} [NaN]
    0 -0 00 1 -1 -12 +1 1. .5 - --1 1-2 1.0 1.5 -0.0 0.1 1.2.3 1e3 1E400 1e-7 0.1e1 0x10
    999999999999999 9999999999999999 9007199254740993 9223372036854775807 9223372036854775808 18446744073709551615
    1e15 1e16 123456789012345678901234567890 0.30000000000000004 0.000000000000001 123456.789012345 12345678.90123456
    1.7976931348623157E+308 5e-324 "nan" "inf" "-inf" "" "x" "null" "true" "TRUE" "t" "yes" "0" "12" "+12" "012" "1_000"
    "1.0" "1.50" "1e3" "0x10" "-0" "1\u0030" "1647875952000" "epoch" "infinity" "12:00" "2022-03-21"
    "2022-03-21T15:19:12.000Z" "1999-12-31T23:59:59.999Z" "2024-02-29T00:00:00.001Z" "2022-02-30T00:00:00.000Z"
    "2022-13-01T00:00:00.000Z" "2022-03-21T24:00:00.000Z" "2022-03-21T23:60:00.000Z" "2022-03-21T23:59:60.000Z"
    "2022-03-21T15:19:12.000+" "2022-03-21T15:19:12Z" "2022-03-21T15:19:12.1234567Z" "0001-01-01T00:00:00.000Z"
    "0999-12-31T00:00:00.000Z" "1000-01-01T00:00:00.000Z" "9999-12-31T23:59:59.999Z" "10000-01-01T00:00:00Z"
    "\u0000" "\\u0000" "\u0001\u0002" "\"\\\/\n\r\t" "\ud83d\ude00" "\ud83d" "\ude00\ud83d" "\x" "\u00e" "é東😀"`.split(
    /\s+/,
  ),
  ...['" "', '" 12"', '"12 "', '"0044-03-15 (BC)"', '"2022-03-21 15:19:12+02:00"', '"\u0001\t"', '"\u007f"'],
  ...['"2022-03-21T15:19:12 America/New_York"', `"${'k'.repeat(1001)}"`, `"${'é'.repeat(40)}"`],
];

describe('plain lines', function () {
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
  const noKey: Table = { ...everyType, key: '_line' };
  const arePlain = (lines: string | Buffer, table: Table): boolean =>
    plainReader(table, constants)(Buffer.from(lines as string), 0) !== undefined;

  for (const line of [
    '{"uuid":"a","aText":"é \\"x\\"","anInstant":"2022-03-21T15:19:12.000Z","aCount":-14,"aNumber":167.36,"aFlag":false}',
    '{"aFlag":true,"aText":null,"uuid":"b"}',
    '{"uuid":"a","someJson":null}',
    '{ "uuid" : "a", "aNumber": 12 }',
    '{"uuid":""}',
  ]) {
    it(`are read at once: ${line.slice(0, 40)}`, () => {
      assert.equal(arePlain(`{"uuid":"first"}\n${line}\n{"uuid":"last"}\n`, everyType), true);
    });
  }

  for (const [what, line] of [
    ['a field that the table does not have', '{"uuid":"a","new":1}'],
    ['a field that differs in case', '{"uuid":"a","atext":"x"}'],
    ['a field whose name is escaped', '{"\\u0075uid":"a"}'],
    ['a field twice', '{"uuid":"a","aText":"x","aText":"x"}'],
    ['a field twice, null the first time', '{"uuid":"a","aText":null,"aText":null}'],
    ['no field', '{}'],
    ['no key', '{"aText":"x"}'],
    ['null for its key', '{"uuid":null}'],
    ['a key that is too long', `{"uuid":"${'k'.repeat(1001)}"}`],
    ['a number for a text', '{"uuid":1}'],
    ['JSON in it', '{"uuid":"a","someJson":1}'],
    ['no end', '{"uuid":"a"'],
    ['no end of its text', '{"uuid":"a'],
    ['an escaped line feed in its text', '{"uuid":"a\\'],
    ['a comma too many', '{"uuid":"a",}'],
    ['something behind it', '{"uuid":"a"} x'],
    ['another object behind it', '{"uuid":"a"}{"uuid":"b"}'],
    ['the line end of Windows', '{"uuid":"a"}\r'],
    ['a space before it', ' {"uuid":"a"}'],
    ['no value', '{"uuid":}'],
    ['no object', '[]'],
    ['nothing in it', ''],
    ['bytes that are not UTF-8', Buffer.from('{"uuid":"\xff"}', 'latin1')],
  ] as const) {
    it(`are left to DuckDB where one has ${what}`, () => {
      const [before, after] = ['{"uuid":"x"}\n', '\n{"uuid":"y"}\n'];
      const lines = Buffer.concat([Buffer.from(before), Buffer.from(line as string), Buffer.from(after)]);
      assert.equal(arePlain(lines, everyType), false);
    });
  }

  it('are left to DuckDB where instants are written in a unit', () => {
    const columns = everyType.columns.map((column) => ({ ...column, unit: 'seconds' as const }));
    assert.equal(arePlain('{"anInstant":"2022-03-21T15:19:12.000Z"}\n', { ...noKey, columns }), false);
  });

  const land = async (at: Reading, lines: string): Promise<Landed> => {
    const path = join(at.folder, 'part');
    await writeFile(path, lines);
    return landFile(at, client, { format: 'json lines', table: noKey }, path);
  };
  // A blank line is no row, and leaves all lines near it to DuckDB.
  const landByDuckDb = (at: Reading, lines: string): Promise<Landed> => land(at, `${lines}\n`);

  it('land as they do by way of DuckDB, each value in each column', () =>
    reading(async (at) => {
      for (const { field, type } of noKey.columns) {
        const lines = tricky.map((json) => `{"${field}":${json}}\n`);
        const plain = lines.filter((line) => arePlain(line, noKey));
        assert.ok(plain.length > (type === 'jsonb' ? 0 : 2), `${field}: ${plain.length}`);
        const quick = await land(at, plain.join(''));
        assert.deepEqual(quick, await landByDuckDb(at, plain.join('')), field);
        assert.equal(quick.rows.length, plain.length);
      }
    }));

  it('land as they do by way of DuckDB, whatever a line holds', () => {
    const fields = [...noKey.columns, ...noKey.columns].map(({ field }) => field);
    const pair = fc.record({ field: fc.constantFrom(...fields, 'new'), json: fc.constantFrom(...tricky) });
    const line = fc
      .array(pair, { minLength: 1, maxLength: 3 })
      .map((pairs) => `{${pairs.map(({ field, json }) => `"${field}":${json}`).join(',')}}\n`);
    return reading((at) =>
      fc.assert(
        fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 2 }), async (lines) => {
          assert.deepEqual(await land(at, lines.join('')), await landByDuckDb(at, lines.join('')));
        }),
        { numRuns: 100 },
      ),
    );
  });

  it('land as they do by way of DuckDB, any text and any number', () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.tuple(fc.maxSafeInteger(), fc.nat(15)).map(([digits, places]) => {
        const text = String(Math.abs(digits)).padStart(places + 1, '0');
        const [whole, fraction] = [text.slice(0, text.length - places), text.slice(text.length - places)];
        return `${digits < 0 ? '-' : ''}${whole}${places > 0 ? '.' : ''}${fraction}`;
      }),
    );
    const text = fc.string({ unit: 'binary', maxLength: 60 }).map((value) => JSON.stringify(value));
    const instant = fc
      .date({ min: new Date('1700-01-01'), max: new Date('2300-01-01'), noInvalidDate: true })
      .map((date) => JSON.stringify(date));
    const line = fc.record({ aText: text, aNumber: number, aCount: number, anInstant: instant }).map(
      (row) =>
        `{${Object.entries(row)
          .map(([field, json]) => `"${field}":${json}`)
          .join(',')}}\n`,
    );
    return reading((at) =>
      fc.assert(
        fc.asyncProperty(fc.array(line, { minLength: 20, maxLength: 40 }), async (lines) => {
          const plain = lines.map((each) =>
            arePlain(each, noKey) ? each : each.replace(/"aCount":[^,]*,/, '"aCount":7,'),
          );
          const text = plain.filter((each) => arePlain(each, noKey)).join('');
          assert.deepEqual(await land(at, text), await landByDuckDb(at, text));
        }),
        { numRuns: 40 },
      ),
    );
  });

  it('are read beside odd ones, in the lines where they stand', () =>
    reading(async (at) => {
      const plain = `{"aText":"${'x'.repeat(1000)}"}\n`.repeat(2_000);
      const odd = '{"aText":"y","new":1}\n\nno JSON\n';
      // Blocks are of a megabyte, and the piece after an odd line is of 15: this is two of each.
      const content = `${plain}${odd}${plain.repeat(8)}${plain}${odd}${plain}`;
      const landed = await land(at, content);
      const lines = content.trimEnd().split('\n');
      assert.equal(landed.parsed, lines.filter((line) => line !== '').length);
      assert.deepEqual(
        landed.bad.map(({ line, raw }) => [line, raw]),
        lines.flatMap((line, index) => (line === 'no JSON' ? [[index + 1, line]] : [])),
      );
      for (const row of landed.rows) {
        const line = lines[Number(row['_line']) - 1] ?? '';
        assert.ok(line.startsWith(`{"aText":"${row['a_text'] ?? ''}"`), `line ${row['_line']}`);
        assert.equal(row['_extra'], line.includes('new') ? '{"new": 1}' : null);
      }
      assert.equal(landed.rows.length, landed.parsed - 2);
    }));
});
