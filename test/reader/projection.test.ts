import assert from 'node:assert/strict';

import type pg from 'pg';

import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, everyType, land, type LandedParquet } from './landing.js';
import { reading } from './reading.js';

/** What becomes of a value: the text that Postgres shows, null, or the reason why its row is a bad one. */
type Fate = string | null | RegExp;

/** DuckDB expressions, whose types are those of the file's column. */
const fates: Readonly<Record<string, readonly (readonly [string, Fate])[]>> = {
  aText: [
    [`'plain'`, 'plain'],
    [`''`, ''],
    [`null::varchar`, null],
    [`'a,b "c" ''d'''`, `a,b "c" 'd'`],
    [`e'two\\nlines\\r\\n\\ttabbed'`, 'two\nlines\r\n\ttabbed'],
    [`e'\\\\.'`, '\\.'],
    [`e'before\\n\\\\.\\nafter'`, 'before\n\\.\nafter'],
    [`'\\N'`, '\\N'],
    [`'NULL'`, 'NULL'],
    [`'é ß 漢字 😀 ' || chr(1) || chr(127) || chr(65534)`, 'é ß 漢字 😀 \u0001\u007f\ufffe'],
    [`repeat('long ', 200000)`, 'long '.repeat(200_000)],
    [`'a' || chr(0) || 'b'`, /^aText holds the character NUL$/],
    [`9007199254740993`, '9007199254740993'],
    [`18446744073709551615::ubigint`, '18446744073709551615'],
    [`1.50::decimal(10, 2)`, '1.50'],
    [`0.1::double`, '0.1'],
    [`true`, 'true'],
    [`timestamp '2026-03-01 12:00:00.123'`, '2026-03-01 12:00:00.123'],
    [`['a', null]`, '["a",null]'],
    [`{'a': 'b' || chr(0)}`, '{"a":"b\\u0000"}'],
    [`encode('é')`, 'é'],
    [`'\\xFF'::blob`, /^aText is not text in UTF-8: \\xFF$/],
    [`'a\\x00'::blob`, /^aText holds the character NUL$/],
    [`'b'::enum('a', 'b')`, 'b'],
  ],
  anInstant: [
    [`timestamp '2026-03-01 12:00:00.123456'`, '2026-03-01 12:00:00.123456+00'],
    [`timestamp_ms '2026-03-01 12:00:00.123'`, '2026-03-01 12:00:00.123+00'],
    [`timestamp_ns '2026-03-01 12:00:00.123456789'`, '2026-03-01 12:00:00.123456+00'],
    [`timestamptz '2026-03-01 12:00:00+02'`, '2026-03-01 10:00:00+00'],
    [`date '2026-03-01'`, '2026-03-01 00:00:00+00'],
    [`null::timestamp`, null],
    [`1590445713085`, '2020-05-25 22:28:33.085+00'],
    [`-1`, '1969-12-31 23:59:59.999+00'],
    [`1590445713085.0::double`, '2020-05-25 22:28:33.085+00'],
    [`'1590445713085'`, '2020-05-25 22:28:33.085+00'],
    [`'2020-05-25T22:28:33.085Z'`, '2020-05-25 22:28:33.085+00'],
    [`'2020-05-25T22:28:33+02:00'`, '2020-05-25 20:28:33+00'],
    [`'2020-05-25 22:28:33'`, '2020-05-25 22:28:33+00'],
    [`'2020-02-30'`, /^anInstant is not an instant between the years 1 and 9999: 2020-02-30$/],
    [`'yesterday'`, /: yesterday$/],
    [`''`, /: $/],
    [`'infinity'`, /: infinity$/],
    [`timestamp 'infinity'`, /: infinity$/],
    [`timestamp '0001-01-01 00:00:00'`, '0001-01-01 00:00:00+00'],
    [`timestamp '9999-12-31 23:59:59.999999'`, '9999-12-31 23:59:59.999999+00'],
    [`timestamp '10000-01-01 00:00:00'`, /: 10000-01-01 00:00:00$/],
    [`make_timestamp_ms(-220000000000000)`, /years 1 and 9999: /],
    [`1590445713085000`, /years 1 and 9999: 1590445713085000$/],
    [`9223372036854775807`, /: 9223372036854775807$/],
    [`'nan'::double`, /: nan$/],
    [`true`, /: true$/],
    [`interval '1 day'`, /: 1 day$/],
    [`[1590445713085]`, /: \[1590445713085\]$/],
    [`null::integer[]`, null],
  ],
  aCount: [
    [`1::tinyint`, '1'],
    [`9223372036854775807`, '9223372036854775807'],
    [`-9223372036854775808`, '-9223372036854775808'],
    [`18446744073709551615::ubigint`, /^aCount is not a whole number of 64 bits: 18446744073709551615$/],
    [`7::ubigint`, '7'],
    [`250.0::double`, '250'],
    [`2.5::double`, /: 2\.5$/],
    [`1e300::double`, /: 1e\+?300$/],
    [`'nan'::double`, /: nan$/],
    [`'-inf'::float`, /: -inf$/],
    [`3.00::decimal(10, 2)`, '3'],
    [`3.01::decimal(10, 2)`, /: 3\.01$/],
    [`9007199254740993.1::decimal(38, 1)`, /: 9007199254740993\.1$/],
    [`'9007199254740993'`, '9007199254740993'],
    [`' -12 '`, '-12'],
    [`'12.0'`, '12'],
    [`'12.5'`, /: 12\.5$/],
    [`'9007199254740993.4'`, /: 9007199254740993\.4$/],
    [`'0x10'`, /: 0x10$/],
    [`'1_000'`, /: 1_000$/],
    [`'9223372036854775808'`, /: 9223372036854775808$/],
    [`'twelve' || chr(0)`, /: twelve$/],
    [`''`, /: $/],
    [`repeat('9', 500)`, /: 9{80}$/],
    [`true`, /: true$/],
    [`date '2026-03-01'`, /: 2026-03-01$/],
    [`{'a': 1}`, /: \{'a': 1\}$/],
    [`null::double`, null],
    [`null::varchar`, null],
    [`null::boolean`, null],
  ],
  aNumber: [
    [`0.1::double`, '0.1'],
    [`5e-324::double`, '5e-324'],
    [`1.7976931348623157e308::double`, '1.7976931348623157e+308'],
    [`-0.0::double`, '-0'],
    [`'nan'::double`, 'NaN'],
    [`'-inf'::double`, '-Infinity'],
    [`0.5::float`, '0.5'],
    [`12`, '12'],
    [`1.25::decimal(10, 2)`, '1.25'],
    [`'1e3'`, '1000'],
    [`'1,5'`, /^aNumber is not a number: 1,5$/],
    [`true`, /: true$/],
    [`[1.5]`, /: \[1\.5\]$/],
    [`null::double`, null],
  ],
  aFlag: [
    [`true`, 'true'],
    [`false`, 'false'],
    [`'true'`, 'true'],
    [`'F'`, 'false'],
    [`'maybe'`, /^aFlag is not true or false: maybe$/],
    [`1`, 'true'],
    [`0`, 'false'],
    [`2`, /: 2$/],
    [`1.0::double`, /: 1\.0$/],
    [`null::boolean`, null],
    [`null::varchar`, null],
  ],
  someJson: [
    [`[{'id': null, 'name': 'a "b"'}]`, '[{"id": null, "name": "a \\"b\\""}]'],
    [`[]::integer[]`, '[]'],
    [`map {'k': 'v'}`, '{"k": "v"}'],
    [`map {}`, '{}'],
    [`null::integer[]`, null],
    [`9007199254740993`, '9007199254740993'],
    [`12345678901234567890.123456789::decimal(38, 9)`, '12345678901234567890.123456789'],
    [
      `{'at': timestamp '2026-03-01 12:00:00', 'bytes': '\\xFF'::blob}`,
      '{"at": "2026-03-01 12:00:00", "bytes": "\\\\xFF"}',
    ],
    [
      `{'d': date '2026-03-01', 'u': 18446744073709551615::ubigint}`,
      '{"d": "2026-03-01", "u": 18446744073709551615}',
    ],
    [`[1.5::double, 'nan'::double]`, /^someJson holds what is no JSON to Postgres, such as NaN or Infinity$/],
    [`{'f': '-inf'::float}`, /NaN or Infinity$/],
    [`{'f': 1.5::float, 'text': 'NaN, Infinity,]'}`, '{"f": 1.5, "text": "NaN, Infinity,]"}'],
    [`['a' || chr(0)]`, /^someJson holds the character NUL$/],
    [`['\\u0000']`, '["\\\\u0000"]'],
    [`['\\' || chr(0)]`, /^someJson holds the character NUL$/],
    [`'{"a": [1, 2.50]}'`, '{"a": [1, 2.50]}'],
    [`'null'`, 'null'],
    [`'{"a":'`, /^someJson is not JSON: \{"a":$/],
    [`''`, /^someJson is not JSON: $/],
    [`'NaN'`, /NaN or Infinity$/],
    [`'{"a": -Infinity}'`, /NaN or Infinity$/],
    [`'[1, ]'`, /no JSON to Postgres/],
    [`'[1e400000]'`, /no JSON to Postgres/],
    [`'{"text": "nan, inf, [1,] \\" 1e400000"}'`, '{"text": "nan, inf, [1,] \\" 1e400000"}'],
    [`'"\\ud800"'`, /^someJson is not JSON: "\\ud800"$/],
    [`'"\\u0000"'`, /NUL$/],
    [`'"\\\\u0000"'`, '"\\\\u0000"'],
    [`encode('{"é": 1}')`, '{"é": 1}'],
  ],
};

describe('what becomes of a value', function () {
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

  for (const [field, cases] of Object.entries(fates)) {
    const column = everyType.columns.find((known) => known.field === field)!;
    for (const [expression, fate] of cases) {
      const short = expression.length > 60 ? `${expression.slice(0, 60)}…` : expression;
      it(`${short} for a column of type ${column.type} is ${fateOf(fate)}`, () =>
        reading(async (at) => {
          const landed = await land(at, client, `select 'x' as uuid, ${expression} as "${field}"`);
          if (fate instanceof RegExp) {
            assert.equal(landed.rows.length, 0, JSON.stringify(landed.rows));
            assert.match(landed.bad[0]?.reason ?? '', fate);
            assert.match(landed.bad[0]!.raw, /^\{"uuid":"x",/);
          } else {
            assert.deepEqual(landed.bad, []);
            assert.equal(landed.rows[0]?.[column.name], fate);
          }
        }));
    }
  }

  const one = async (query: string): Promise<LandedParquet> => reading((at) => land(at, client, query));

  it('is the same beside good rows: each bad one has its line, its reason and all of its values', async () => {
    const { rows, bad } = await one(`
      select * from (values ('a', 1.0::double), (null, 2.0), ('c', 2.5), (repeat('k', 1001), 3.0), ('e', 4.0))
        as rows(uuid, aCount)`);
    assert.deepEqual(
      rows.map((row) => [row['id'], row['a_count'], row['_line']]),
      [
        ['a', '1', '1'],
        ['e', '4', '5'],
      ],
    );
    assert.deepEqual(
      bad.map(({ line, reason }) => [line, reason]),
      [
        [2, 'uuid is missing, and it is the key'],
        [3, 'aCount is not a whole number of 64 bits: 2.5'],
        [4, 'uuid is longer than 1000 bytes, and it is the key'],
      ],
    );
    assert.deepEqual(JSON.parse(bad[1]!.raw), { uuid: 'c', aCount: 2.5 });
  });

  it('of a column that the file lacks is null, and the projection says which they are', async () => {
    const { rows, projection } = await one(`select 'a' as uuid, 'text' as aText`);
    assert.deepEqual(projection.missing, ['anInstant', 'aCount', 'aNumber', 'aFlag', 'someJson']);
    assert.deepEqual(
      { ...rows[0] },
      {
        export_date: '2026-03-01',
        partition_value: "it's a 'value'",
        _file_id: '9007199254740993',
        _line: '1',
        id: 'a',
        a_text: 'text',
        an_instant: null,
        a_count: null,
        a_number: null,
        a_flag: null,
        some_json: null,
        _extra: null,
      },
    );
  });

  it('makes every row a bad one where the file lacks the key', async () => {
    const { rows, bad } = await one(`select 'a' as "UUID" from range(3)`);
    assert.equal(rows.length, 0);
    assert.deepEqual(
      bad.map(({ line, reason }) => [line, reason]),
      [1, 2, 3].map((line) => [line, 'the file has no column uuid, which is the key']),
    );
  });

  it('of an unknown column is kept in _extra under its own name; rows without any have none', async () => {
    const { rows, projection } = await one(`
      select 'x' || i as uuid, case when i > 0 then 'it''s' end as "odd ""name"" 'here'",
        case when i > 1 then [timestamp '2026-03-01'] end as _line, case when i > 1 then i end as value_0,
        case when i > 1 then i end as raw_0, case when i > 1 then i end as extra, null::integer as atext
      from range(3) as numbers(i)`);
    assert.deepEqual(projection.unknown, [
      `odd "name" 'here'`,
      '_line',
      'value_0',
      'raw_0',
      'extra',
      'atext',
    ]);
    assert.deepEqual(
      rows.map((row) => row['_extra'] && (JSON.parse(row['_extra']) as unknown)),
      [
        null,
        { [`odd "name" 'here'`]: "it's", _line: null, value_0: null, raw_0: null, extra: null, atext: null },
        {
          [`odd "name" 'here'`]: "it's",
          _line: ['2026-03-01 00:00:00'],
          value_0: 2,
          raw_0: 2,
          extra: 2,
          atext: null,
        },
      ],
    );
  });

  it('of an unknown column that jsonb cannot hold makes its row a bad one', async () => {
    const { rows, bad } = await one(`
      select 'x' || i as uuid, case i when 1 then 'nan'::double else 0.5 end as score,
        case i when 2 then 'a' || chr(0) else 'fine' end as note
      from range(4) as numbers(i)`);
    assert.deepEqual(
      rows.map((row) => row['id']),
      ['x0', 'x3'],
    );
    assert.deepEqual(
      bad.map(({ line, reason }) => [line, reason]),
      [
        [2, '_extra holds what is no JSON to Postgres, such as NaN or Infinity'],
        [3, '_extra holds the character NUL'],
      ],
    );
  });
});

function fateOf(fate: Fate): string {
  if (fate === null) return 'null';
  if (fate instanceof RegExp) return 'refused';
  return JSON.stringify(fate.length > 40 ? `${fate.slice(0, 40)}…` : fate);
}
