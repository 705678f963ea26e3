import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import type pg from 'pg';

import type { Table } from '../../vendors/table.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, everyType, landFile, type Landed } from './landing.js';
import { reading } from './reading.js';

const noKey: Table = { ...everyType, key: '_line', ofFile: ['export_date'] };

describe('a file of JSON lines', function () {
  this.timeout(60_000);
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

  const land = (content: string | Buffer, table = noKey, memoryLimit?: string): Promise<Landed> =>
    reading(
      async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, content);
        return landFile(at, client, { format: 'json lines', table }, path, 'hour-04.json.gz');
      },
      undefined,
      memoryLimit,
    );
  const lines = (...texts: string[]): string => texts.map((text) => `${text}\n`).join('');
  const texts = ({ rows }: Landed): (string | null | undefined)[] => rows.map((row) => row['a_text']);
  const numbers = ({ rows }: Landed): number[] => rows.map((row) => Number(row['_line']));
  const faults = ({ bad }: Landed): [number, string][] => bad.map(({ line, reason }) => [line, reason]);

  describe('gives the table its columns by key', () => {
    it('of every type, in any order, with the place of the file first', async () => {
      const { rows, bad, parsed } = await land(
        lines(
          `{"uuid":"a","aText":"é 😀 \\"x\\"","anInstant":"2022-03-21T15:19:12.000Z","aCount":149313406,"aNumber":1679.36,"aFlag":false,"someJson":{"a":[1,null]}}`,
          `{"someJson":"text","aFlag":true,"aNumber":0,"aCount":-1,"anInstant":1647875952000,"aText":"","uuid":"b"}`,
        ),
        everyType,
      );
      assert.deepEqual([parsed, bad], [2, []]);
      const of = {
        export_date: '2026-03-01',
        partition_value: "it's a 'value'",
        _file_id: '9007199254740993',
      };
      const instant = '2022-03-21 15:19:12+00';
      assert.deepEqual(rows, [
        {
          ...of,
          _line: '1',
          id: 'a',
          a_text: 'é 😀 "x"',
          an_instant: instant,
          a_count: '149313406',
          a_number: '1679.36',
          a_flag: 'false',
          some_json: '{"a": [1, null]}',
          _extra: null,
        },
        {
          ...of,
          _line: '2',
          id: 'b',
          a_text: '',
          an_instant: '2022-03-21 15:19:12+00',
          a_count: '-1',
          a_number: '0',
          a_flag: 'true',
          some_json: '"text"',
          _extra: null,
        },
      ]);
    });

    it('and only those of its place that the table has', async () => {
      const { rows } = await land('{"aText":"x"}\n');
      assert.deepEqual(Object.keys(rows[0] ?? {}).slice(0, 4), ['export_date', '_file_id', '_line', 'id']);
    });

    it('whose names are written with escapes, and not those that differ in case', async () => {
      const landed = await land('{"\\u0061Text":"x","atext":"y"}\n');
      assert.deepEqual(texts(landed), ['x']);
      assert.equal(landed.rows[0]?.['_extra'], '{"atext": "y"}');
    });

    it('and leaves null what is missing or null', async () => {
      const landed = await land(
        lines('{}', '{"aText":null,"aCount":null,"someJson":null}', '{"aText":"null"}'),
      );
      assert.deepEqual(landed.bad, []);
      assert.deepEqual(texts(landed), [null, null, 'null']);
      for (const row of landed.rows) assert.equal(row['some_json'], null);
    });

    it('whatever the vendor calls them', async () => {
      const names = [
        'line',
        'json',
        'known',
        'keys',
        'source',
        'extra',
        "it's",
        'a "b"',
        'a.b',
        '$',
        'line_fault',
      ];
      const odd: Table = {
        ...noKey,
        columns: names.map((field, index) => ({ name: `c${index}`, type: 'text', field })),
      };
      const { rows, bad } = await land(
        `${JSON.stringify(Object.fromEntries([...names.map((name, index) => [name, index]), ['LINE', 1]]))}\n`,
        odd,
      );
      assert.deepEqual(bad, []);
      names.forEach((_, index) => assert.equal(rows[0]?.[`c${index}`], String(index)));
      assert.equal(rows[0]?.['_extra'], '{"LINE": 1}');
    });
  });

  describe('types values', () => {
    const values: readonly (readonly [field: string, json: string, expected: string | null | RegExp])[] = [
      ['aCount', '9007199254740993', '9007199254740993'],
      ['aCount', '9223372036854775807', '9223372036854775807'],
      ['aCount', '-9223372036854775808', '-9223372036854775808'],
      ['aCount', '9223372036854775808', /^aCount is not a whole number of 64 bits: 9223372036854775808$/],
      ['aCount', '"9007199254740993"', '9007199254740993'],
      ['aCount', '1E3', '1000'],
      ['aCount', '12.0', '12'],
      ['aCount', '12.5', /: 12\.5$/],
      ['aCount', '9007199254740993.0', /: 9007199254740992\.0$/],
      ['aCount', 'true', /: true$/],
      ['aCount', '[1]', /: \[1\]$/],
      ['aCount', '""', /: $/],
      ['aText', '9007199254740993', '9007199254740993'],
      ['aText', '18446744073709551616', '18446744073709551616'],
      ['aText', '1.5', '1.5'],
      ['aText', 'false', 'false'],
      ['aText', '{"a":["b"]}', '{"a":["b"]}'],
      ['aText', '"two\\nlines\\r\\n\\\\."', 'two\nlines\r\n\\.'],
      ['aText', '"\\u0001\\u0002\\u001f\\u007f"', '\u0001\u0002\u001f\u007f'],
      ['aText', '"\\ud83d\\ude00"', '😀'],
      ['aText', '"a\\u0000b"', /^aText holds the character NUL$/],
      ['aText', '"a\\\\u0000b"', 'a\\u0000b'],
      ['aNumber', '1e3', '1000'],
      ['aNumber', '1.7976931348623157E+308', '1.7976931348623157e+308'],
      ['aNumber', '0.30000000000000004', '0.30000000000000004'],
      ['aNumber', '"12.5"', '12.5'],
      ['aNumber', '9007199254740993', '9.007199254740992e+15'],
      ['aNumber', 'NaN', 'NaN'],
      ['aNumber', '"much"', /^aNumber is not a number: much$/],
      ['aFlag', '"true"', 'true'],
      ['aFlag', '0', 'false'],
      ['aFlag', '"perhaps"', /^aFlag is not true or false: perhaps$/],
      ['anInstant', '"2022-03-21T15:19:12.5+02:00"', '2022-03-21 13:19:12.5+00'],
      ['anInstant', '"1647875952000"', '2022-03-21 15:19:12+00'],
      ['anInstant', '"9999-12-31T23:59:59.999999Z"', '9999-12-31 23:59:59.999999+00'],
      [
        'anInstant',
        '"294247-01-10T04:00:54Z"',
        /^anInstant is not an instant between the years 1 and 9999: 294247/,
      ],
      ['anInstant', '"infinity"', /^anInstant is not an instant between the years 1 and 9999: infinity$/],
      ['anInstant', '"soon"', /^anInstant is not an instant between the years 1 and 9999: soon$/],
      ['someJson', '[1e400,1.10,9007199254740993]', `[1${'0'.repeat(400)}, 1.1, 9007199254740993]`],
      ['someJson', '"\\u0000"', /^someJson holds the character NUL$/],
      ['someJson', '[NaN]', /^someJson holds what is no JSON to Postgres, such as NaN or Infinity$/],
      ['someJson', `${'['.repeat(1000)}${']'.repeat(1000)}`, `${'['.repeat(1000)}${']'.repeat(1000)}`],
      ['unknown', '"\\u0000"', /^_extra holds the character NUL$/],
      ['unknown', '[-Infinity]', /^_extra holds what is no JSON to Postgres/],
    ];
    for (const [field, json, expected] of values) {
      it(`such as ${json.slice(0, 40)} in ${field}`, async () => {
        const { rows, bad } = await land(`{"${field}":${json}}\n`);
        const name = everyType.columns.find((column) => column.field === field)?.name ?? '_extra';
        if (expected instanceof RegExp) {
          assert.equal(bad.length, 1, JSON.stringify(rows));
          assert.match(bad[0]?.reason ?? '', expected);
          assert.equal(bad[0]?.raw, `{"${field}":${json}}`);
        } else {
          assert.deepEqual(bad, []);
          assert.equal(rows[0]?.[name], expected);
        }
      });
    }

    it('and keeps a row bad that has no key, where the table has one', async () => {
      const landed = await land(
        lines('{"aText":"x"}', '{"uuid":"a"}', `{"uuid":"${'k'.repeat(1001)}"}`),
        everyType,
      );
      assert.deepEqual(faults(landed), [
        [1, 'uuid is missing, and it is the key'],
        [3, 'uuid is longer than 1000 bytes, and it is the key'],
      ]);
    });
  });

  describe('keeps in _extra', () => {
    it('what the table has no column for, as it is, and null where there is nothing', async () => {
      const landed = await land(
        lines(
          '{"aText":"x"}',
          '{"new":1,"aText":"x","more":{"aText":[9007199254740993,"é\\n"]}}',
          '{"aText":null,"aFlag":null}',
          '{"nothing":null}',
          '{"":{}}',
        ),
      );
      assert.deepEqual(
        landed.rows.map((row) => row['_extra']),
        [
          null,
          '{"new": 1, "more": {"aText": [9007199254740993, "é\\n"]}}',
          null,
          '{"nothing": null}',
          '{"": {}}',
        ],
      );
    });

    it('nothing of a line that has a key twice: one of the two values would be lost', async () => {
      const landed = await land(lines('{"aText":"x","aText":"y"}', '{"new":1,"new":1}', '{"aText":"z"}'));
      assert.deepEqual(faults(landed), [
        [1, 'the line has a key twice'],
        [2, 'the line has a key twice'],
      ]);
      assert.deepEqual(texts(landed), ['z']);
    });
  });

  describe('counts lines as an editor does', () => {
    const rows = { x: '{"aText":"x"}', y: '{"aText":"y"}' };
    const files: readonly [what: string, content: string, numbers: number[]][] = [
      ['with blank lines', `\n${rows.x}\n\n \t\r\n\f\v\n${rows.y}\n\n`, [2, 6]],
      ['with the line ends of Windows', `${rows.x}\r\n\r\n${rows.y}\r\n`, [1, 3]],
      ['without a line break at the end', `${rows.x}\n${rows.y}`, [1, 2]],
      ['with blanks at the end', `${rows.x}\n${rows.y}\n   `, [1, 2]],
      ['with blanks around rows', `  ${rows.x}  \n\t${rows.y}\t`, [1, 2]],
      ['with a byte order mark', `\ufeff${rows.x}\n${rows.y}\n`, [1, 2]],
      ['with a byte order mark on a blank line', `\ufeff\n${rows.x}\n${rows.y}\n`, [2, 3]],
      ['of blank lines', '\n\n  \n', []],
      ['of a byte order mark', '\ufeff', []],
      ['of two bytes', '\n\n', []],
      ['without a byte', '', []],
    ];
    for (const [what, content, expected] of files) {
      for (const [as, bytes] of [
        ['plain', Buffer.from(content)],
        ['gzip', gzipSync(content)],
      ] as const) {
        it(`of a file ${what} (${as})`, async () => {
          const landed = await land(bytes);
          assert.deepEqual(numbers(landed), expected);
          assert.deepEqual(landed.bad, []);
          assert.equal(landed.parsed, expected.length);
          assert.deepEqual(texts(landed), expected.length === 0 ? [] : ['x', 'y']);
        });
      }
    }

    it('over pieces', async () => {
      const each = { row: '{"aCount":1,"aText":"……"}\n', blanks: '\n \n' };
      const content = `${each.row.repeat(3)}x\n${each.blanks}`.repeat(90_000);
      const landed = await land(gzipSync(content, { level: 1 }));
      assert.equal(landed.parsed, 360_000);
      assert.equal(landed.bad.length, 90_000);
      assert.ok(landed.bad.every(({ line }, index) => line === index * 6 + 4));
      assert.ok(numbers(landed).every((line, index) => line === Math.floor(index / 3) * 6 + (index % 3) + 1));
    });
  });
});
