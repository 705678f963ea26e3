import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import {
  copyVisits,
  landVisits,
  visitTables,
  type LandedVisits,
  type TextRow,
  type Visits,
} from './documents-landing.js';

describe('a file of documents', function () {
  this.timeout(60_000);
  let visits: Visits;
  before(async () => {
    visits = await visitTables();
  });
  after(() => visits.drop());

  const land = (...lines: string[]): Promise<LandedVisits> =>
    landVisits(visits, [lines.map((line) => `${line}\n`).join('')]);
  /** What stands in some columns of a table. */
  const columns = ({ rows }: LandedVisits, table: string, names: string): (string | null | undefined)[][] =>
    (rows[table] ?? []).map((row) => names.split(' ').map((name) => row[name]));
  const counts = ({ rows }: LandedVisits): Record<string, number> =>
    Object.fromEntries(
      Object.entries(rows).flatMap(([name, { length }]) => (length > 0 ? [[name, length]] : [])),
    );
  const lifted = 'product_id sku time unit_price quantity total_value';

  describe('gives each table its rows', () => {
    it('of a line with everything in it', async () => {
      const landed = await land(
        '{"session_id":"1234:2.55:1:1795169400000:1795170000000","guid":"1234:2.55","account_id":1234,' +
          '"start_time":1795169400123,"end_time":1795170000000,"time_on_site":600,"time_on_site_ss":360000,' +
          '"is_closed":"t","is_bounce":"f","has_purchase":true,"session_value":59.90,"session_value_ss":"3588.01",' +
          '"offers":{"98765":1795169401000,"54322":"1795169402000"},"page_event_ids":{"77":1795169403000},' +
          '"custom_targets":{"11":"ann@example.com","12":["gold",3],"13":true,"14":null,"15":[],"16":{"a":[1]}},' +
          '"view_lines":[{"product_id":"p-1","time":1795169404000},{"productId":22,"timestamp":"2026-11-20T10:10:05Z"}],' +
          '"cart_lines":[{"ProductID":"p-1","SKU":"s-1","time":1795169406000,"price":"29.95","qty":2,"colour":"red"},' +
          '"p-9",null],"purchases":{"o-1":59.9},"purchase_lines":{"o-1":{"total_value":59.9,"time":1795169900000,' +
          '"items":[{"product_id":"p-1","sku":"s-1","unit_price":29.95,"quantity":2}]},' +
          '"o-2":{"time":"yesterday","items":{"a":{"pid":"p-2","unit_price":"free"}}},"o-3":"nothing"}}',
      );
      assert.deepEqual([landed.parsed, landed.taken, landed.bad], [1, 1, []]);
      const id = '1234:2.55:1:1795169400000:1795170000000';
      assert.deepEqual(present(without(landed.rows['session']?.[0], / _lines|offers$|_ids$|s$/)), {
        export_date: '2026-11-20',
        session_id: id,
        account_id: '1234',
        guid: '1234:2.55',
        start_time: '2026-11-20 10:10:00.123+00',
        end_time: '2026-11-20 10:20:00+00',
        time_on_site: '600',
        is_closed: 'true',
        is_bounce: 'false',
        has_purchase: 'true',
        session_value: '59.9',
        ...Object.fromEntries(
          [
            'offers',
            'page_event_ids',
            'custom_targets',
            'view_lines',
            'cart_lines',
            'purchases',
            'purchase_lines',
          ].map((name) => [`${name}_truncated`, 'false']),
        ),
        _file_id: '1',
        _line: '1',
      });
      assert.deepEqual(columns(landed, 'session', 'time_on_site_ss session_value_ss offers custom_targets'), [
        [
          ...['360000', '3588.01', '{"54322": "1795169402000", "98765": 1795169401000}'],
          '{"11": "ann@example.com", "12": ["gold", 3], "13": true, "14": null, "15": [], "16": {"a": [1]}}',
        ],
      ]);
      assert.deepEqual(landed.rows['session_offer'], [
        row(id, '1', { variant_id: '98765', first_seen: '2026-11-20 10:10:01+00' }),
        row(id, '2', { variant_id: '54322', first_seen: '2026-11-20 10:10:02+00' }),
      ]);
      assert.deepEqual(columns(landed, 'session_page_event', 'ordinal page_event_id first_seen'), [
        ['1', '77', '2026-11-20 10:10:03+00'],
      ]);
      assert.deepEqual(columns(landed, 'session_purchase', 'ordinal purchase_id value'), [
        ['1', 'o-1', '59.9'],
      ]);
      assert.deepEqual(columns(landed, 'session_custom_target', 'ordinal custom_target_id value'), [
        ['1', '11', 'ann@example.com'],
        ['2', '12', 'gold'],
        ['3', '12', '3'],
        ['4', '13', 'true'],
        ['5', '14', null],
        ['6', '16', '{"a":[1]}'],
      ]);
      assert.deepEqual(columns(landed, 'session_view_line', `ordinal ${lifted} item`), [
        [
          ...['1', 'p-1', null, '2026-11-20 10:10:04+00', null, null, null],
          '{"time": 1795169404000, "product_id": "p-1"}',
        ],
        [
          ...['2', '22', null, '2026-11-20 10:10:05+00', null, null, null],
          '{"productId": 22, "timestamp": "2026-11-20T10:10:05Z"}',
        ],
      ]);
      assert.deepEqual(columns(landed, 'session_cart_line', `ordinal ${lifted} item`), [
        [
          ...['1', 'p-1', 's-1', '2026-11-20 10:10:06+00', '29.95', '2', null],
          '{"SKU": "s-1", "qty": 2, "time": 1795169406000, "price": "29.95", "colour": "red", "ProductID": "p-1"}',
        ],
        ['2', null, null, null, null, null, null, '"p-9"'],
        ['3', null, null, null, null, null, null, null],
      ]);
      const ofPurchase = 'ordinal purchase_id purchase_time purchase_total_value';
      assert.deepEqual(columns(landed, 'session_purchase_item', `${ofPurchase} ${lifted}`), [
        ['1', 'o-1', '2026-11-20 10:18:20+00', '59.9', 'p-1', 's-1', null, '29.95', '2', null],
        ['2', 'o-2', null, null, 'p-2', null, null, null, null, null],
      ]);
    });

    it('and none of what is absent, null, empty or of no form', async () => {
      const landed = await land(
        '{"session_id":"a"}',
        '{"session_id":"b","offers":null,"custom_targets":null,"view_lines":null,"purchase_lines":null}',
        '{"session_id":"c","offers":{},"custom_targets":{},"view_lines":[],"cart_lines":{},"purchase_lines":{}}',
        '{"session_id":"d","custom_targets":[1],"view_lines":"x","cart_lines":7,"purchase_lines":[{"items":[1]}]}',
        '{"session_id":"e","custom_targets":"{}","view_lines":true,"purchase_lines":{"a":[1],"b":{"items":"x"}}}',
        '{"session_id":"f","purchase_lines":{"a":null,"b":{},"c":{"items":null},"d":{"items":[]}}}',
      );
      assert.deepEqual(landed.bad, []);
      assert.deepEqual(counts(landed), { session: 6 });
      assert.deepEqual(columns(landed, 'session', '_extra').flat(), Array(6).fill(null));
      const kept = columns(landed, 'session', 'custom_targets view_lines purchase_lines');
      assert.deepEqual(kept[0], [null, null, null]);
      assert.deepEqual(kept[1], [null, null, null]);
      assert.deepEqual(kept[3], ['[1]', '"x"', '[{"items": [1]}]']);
    });

    it('numbered over all that hold such rows, in the order of the document', async () => {
      const landed = await land(
        '{"session_id":"a","custom_targets":{"9":["x","y"],"1":"z","5":[[1],{"k":null}]},"purchase_lines":' +
          '{"9":{"items":[{"pid":1},{"pid":2}]},"1":{"items":{"7":{"pid":3},"3":{"pid":4}}}}}',
        '{"session_id":"b","custom_targets":{"2":1},"purchase_lines":{"1":{"items":[{"pid":5}]}}}',
      );
      assert.deepEqual(
        columns(landed, 'session_custom_target', 'session_id ordinal custom_target_id value'),
        [
          ...[
            ['a', '1', '9', 'x'],
            ['a', '2', '9', 'y'],
            ['a', '3', '1', 'z'],
            ['a', '4', '5', '[1]'],
            ['a', '5', '5', '{"k":null}'],
          ],
          ['b', '1', '2', '1'],
        ],
      );
      assert.deepEqual(
        columns(landed, 'session_purchase_item', 'session_id ordinal purchase_id product_id'),
        [
          ...[
            ['a', '1', '9', '1'],
            ['a', '2', '9', '2'],
            ['a', '3', '1', '3'],
            ['a', '4', '1', '4'],
          ],
          ['b', '1', '1', '5'],
        ],
      );
    });

    it('lifting the first name that is there and fits', async () => {
      const item = (fields: string): string => `{"session_id":"a","view_lines":[${fields}]}`;
      const landed = await land(
        item('{"product_id":{"a":1},"productId":true,"pid":"p","price":"x","unit_price":null,"qty":"1e2"}'),
        item('{"product_id":"{}","sku":"true","price":".5","quantity":"NaN","total":" 7 ","time":"soon"}'),
        item('{"product_id":"","sku":["s"],"quantity":false,"time":99999999999999999}'),
      );
      assert.deepEqual(landed.bad, []);
      assert.deepEqual(columns(landed, 'session_view_line', lifted), [
        ['p', null, null, null, '100', null],
        ['{}', 'true', null, '0.5', null, '7'],
        ['', null, null, null, null, null],
      ]);
    });
  });

  it('keeps in _extra what a line holds besides, and nothing where it holds none', async () => {
    const landed = await land(
      '{"session_id":"a","new":[9007199254740993,{"b":null}],"product_types":"x","guid":null}',
      '{"session_id":"b","guid":null,"customer_id":null}',
      '{"session_id":"c","":{},"nothing":null}',
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual(columns(landed, 'session', '_extra').flat(), [
      '{"new": [9007199254740993, {"b": null}], "product_types": "x"}',
      null,
      '{"": {}, "nothing": null}',
    ]);
  });

  describe('says which fields are to be taken for incomplete', () => {
    const list = (length: number): string => `[${Array(length).fill('0').join()}]`;
    const object = (length: number): string =>
      `{${Array.from({ length }, (_, index) => `"${index}":0`).join()}}`;
    const flags = async (...fields: string[]): Promise<string[]> => {
      const landed = await land(...fields.map((field) => `{"session_id":"a",${field}}`));
      assert.deepEqual(landed.bad, []);
      return landed.rows['session']!.map((row) =>
        Object.entries(row)
          .filter(([name, value]) => name.endsWith('_truncated') && value !== 'false')
          .map(([name, value]) => `${name} ${value}`)
          .join(),
      );
    };

    it('by 1,000 entries', async () => {
      assert.deepEqual(
        await flags(
          ...[`"offers":${object(999)}`, `"offers":${object(1000)}`, `"page_event_ids":${object(1003)}`],
          ...[`"view_lines":${list(999)}`, `"view_lines":${list(1000)}`, `"cart_lines":${object(1000)}`],
          ...[`"custom_targets":${list(1000)}`, `"custom_targets":"${'x'.repeat(3000)}"`],
        ),
        [
          ...['', 'offers_truncated true', 'page_event_ids_truncated true'],
          ...[
            '',
            'view_lines_truncated true',
            'cart_lines_truncated true',
            'custom_targets_truncated true',
            '',
          ],
        ],
      );
    });

    it('or by those of one of its values', async () => {
      const inner = (items: string): string =>
        `"purchase_lines":{"a":{"items":[]},"b":{"items":${items}},"c":1}`;
      const flag = 'purchase_lines_truncated true';
      assert.deepEqual(
        await flags(
          ...[inner(list(999)), inner(list(1000)), inner(object(1000)), inner(`"${'x'.repeat(3000)}"`)],
          `"purchase_lines":[{"items":${list(1000)}}]`,
        ),
        ['', flag, flag, '', flag],
      );
    });
  });

  describe('keeps a line as a whole for the quarantine', () => {
    const instant = 'is not an instant between the years 1 and 9999:';
    const a = '"session_id":"a"';
    const faults: readonly (readonly [line: string, reason: string])[] = [
      ['{"session_id":1', 'the line is not JSON'],
      ['[{"session_id":1}]', 'the line is JSON, but no object'],
      ['null', 'the line is JSON, but no object'],
      ['{"offers":{"1":1}}', 'session_id is missing, and it is the key'],
      ['{"session_id":null}', 'session_id is missing, and it is the key'],
      [`{"session_id":"${'x'.repeat(1001)}"}`, 'session_id is longer than 1000 bytes, and it is the key'],
      [`{${a},"session_id":"a"}`, 'the line has a key twice'],
      [`{${a},"new":1,"n\\u0065w":2}`, 'the line has a key twice'],
      [`{${a},"offers":{"1":1,"2":2,"1":3}}`, 'offers has a key twice'],
      [`{${a},"custom_targets":{"1":[],"1":[]}}`, 'custom_targets has a key twice'],
      [`{${a},"purchase_lines":{"1":null,"1":{}}}`, 'purchase_lines has a key twice'],
      [
        `{${a},"view_lines":[{},{"sku":1,"sku":2}]}`,
        'an object in view_lines has a key twice: {"sku":1,"sku":2}',
      ],
      [
        `{${a},"purchase_lines":{"1":{"items":[],"items":[1]}}}`,
        'an object in purchase_lines has a key twice: {"items":[],"items":[1]}',
      ],
      [`{${a},"offers":[]}`, 'offers is not an object: []'],
      [`{${a},"purchases":"none"}`, 'purchases is not an object: "none"'],
      [`{${a},"page_event_ids":false}`, 'page_event_ids is not an object: false'],
      [`{${a},"offers":{"1":1,"2":"soon"}}`, `offers[2].value ${instant} soon`],
      [`{${a},"offers":{"1":{}}}`, `offers[1].value ${instant} {}`],
      [
        `{${a},"purchases":{"o":"much"}}`,
        'purchases[1].value is not a decimal number that numeric can hold: much',
      ],
      [
        `{${a},"purchases":{"o":NaN}}`,
        'purchases holds what is no JSON to Postgres, such as NaN or Infinity',
      ],
      [
        `{${a},"purchases":{"o":true}}`,
        'purchases[1].value is not a decimal number that numeric can hold: true',
      ],
      [
        `{${a},"session_value":Infinity}`,
        'session_value is not a decimal number that numeric can hold: Infinity',
      ],
      [
        `{${a},"session_value":"1e10000"}`,
        'session_value is not a decimal number that numeric can hold: 1e10000',
      ],
      [`{${a},"start_time":"soon"}`, `start_time ${instant} soon`],
      [`{${a},"start_time":999999999999999}`, `start_time ${instant} 999999999999999`],
      [`{${a},"is_closed":"maybe"}`, 'is_closed is not true or false: maybe'],
      [`{${a},"page_views":1.5}`, 'page_views is not a whole number of 64 bits: 1.5'],
      [`{${a},"time_on_site":"long"}`, 'time_on_site is not a number: long'],
      [`{${a},"guid":"\\u0000"}`, 'guid holds the character NUL'],
      [`{${a},"offers":{"\\u0000":1}}`, 'offers holds the character NUL'],
      [`{${a},"view_lines":[{"sku":"\\u0000"}]}`, 'view_lines holds the character NUL'],
      [`{${a},"new":["\\u0000"]}`, '_extra holds the character NUL'],
      [`{${a},"new":-Infinity}`, '_extra holds what is no JSON to Postgres, such as NaN or Infinity'],
      [
        `{${a},"cart_lines":[{"qty":1e99999}]}`,
        'cart_lines holds what is no JSON to Postgres, such as NaN or Infinity',
      ],
    ];

    it('where anything in it is wrong, with the line as it came', async () => {
      const around = (id: number): string =>
        `{"session_id":"${id}","offers":{"1":1},"view_lines":[{}],"custom_targets":{"1":1},"purchases":{"o":1},` +
        '"page_event_ids":{"1":1},"cart_lines":[1],"purchase_lines":{"o":{"items":[1]}}}';
      const lines = faults.flatMap(([line], index) => [line, around(index)]);
      const landed = await land(...lines);
      assert.deepEqual(
        landed.bad,
        faults.map(([raw, reason], index) => ({ file: '1', line: index * 2 + 1, reason, raw })),
      );
      assert.equal(landed.parsed, lines.length);
      assert.equal(landed.taken, faults.length);
      const good = faults.map((_, index) => String(index * 2 + 2));
      for (const [table, rows] of Object.entries(landed.rows)) {
        assert.deepEqual(
          rows.map((row) => row['_line']),
          good,
          table,
        );
      }
    });

    it('with the first reason of several', async () => {
      const landed = await land(
        `{${a},"start_time":"x","offers":{"1":"y"}}`,
        `{${a},"purchases":{"o":"z"},"offers":{"1":"y","2":"x"}}`,
      );
      assert.deepEqual(
        landed.bad.map(({ reason }) => reason),
        [`start_time ${instant} x`, `offers[1].value ${instant} y`],
      );
    });

    it('where it holds NUL or is no UTF-8', async () => {
      const content = Buffer.from(
        '{"session_id":"a","offers":{"\0":1}}\n{"session_id":"b?"}\n{"session_id":"c"}\n',
      );
      content[content.indexOf('?')] = 0xff;
      const landed = await landVisits(visits, [content]);
      const escapes = 'backslashes and bytes that are no text are written as \\xHH';
      assert.deepEqual(
        landed.bad.map(({ reason, raw }) => [reason, raw]),
        [
          [`the line holds the character NUL; ${escapes}`, '{"session_id":"a","offers":{"\\x00":1}}'],
          [`the line is not UTF-8; ${escapes}`, '{"session_id":"b\\xff"}'],
        ],
      );
      assert.deepEqual(counts(landed), { session: 1 });
    });
  });

  describe('is read like any file of lines', () => {
    const line = (id: string): string => `{"session_id":"${id}","offers":{"1":1}}`;
    const numbers = (landed: LandedVisits): string =>
      columns(landed, 'session_offer', 'session_id _line')
        .map((row) => row.join(':'))
        .join(' ');

    it('with blank lines, a byte order mark, the line ends of Windows, and no end to the last', async () => {
      const content = `\ufeff${line('a')}\r\n\r\n \t\n${line('b')}\n\n  ${line('c')}`;
      for (const file of [content, gzipSync(content)]) {
        const landed = await landVisits(visits, [file]);
        assert.deepEqual([landed.bad, landed.parsed, numbers(landed)], [[], 3, 'a:1 b:4 c:6']);
      }
    });

    it('without a row', async () => {
      for (const content of ['', '\n\n', gzipSync('')]) {
        const landed = await landVisits(visits, [content]);
        assert.deepEqual([landed.parsed, landed.taken, landed.bad, counts(landed)], [0, 0, [], {}]);
      }
    });

    it('whose longest lines are kept by their beginning', async () => {
      const landed = await land(line('a'), `{"session_id":"${'x'.repeat(16_000_000)}"}`, line('c'));
      assert.equal(numbers(landed), 'a:1 c:3');
      assert.match(
        landed.bad[0]?.reason ?? '',
        /^the line is longer than 16000000 bytes, of which the first 1000000/,
      );
    });

    it('with 100,000 entries in a field, of whatever kind, in 256 MB', async () => {
      const many = (of: (index: number) => string): string =>
        Array.from({ length: 100_000 }, (_, i) => of(i)).join();
      const lines = [
        `{"session_id":"a","offers":{${many((index) => `"${index}":${index}`)}}}`,
        `{"session_id":"b","custom_targets":{${many((index) => `"${index}":"${index}"`)}}}`,
        `{"session_id":"c","custom_targets":{"t":[${many(String)}]}}`,
        `{"session_id":"d","view_lines":[${many((index) => `{"sku":${index},"price":1.5}`)}]}`,
        `{"session_id":"e","purchase_lines":{${many((index) => `"${index}":{"items":[{"sku":${index}}]}`)}}}`,
        `{"session_id":"f","purchase_lines":{"o":{"items":[${many((index) => `{"sku":${index}}`)}]}}}`,
      ];
      const { counts } = await copyVisits(visits, [lines.map((line) => `${line}\n`).join('')]);
      const one = { session_offer: 100_000, session_view_line: 100_000 };
      const two = { session_custom_target: 200_000, session_purchase_item: 200_000 };
      assert.deepEqual(counts.get('1'), {
        ...{ parsed: 6, loaded: 6, quarantined: 0 },
        byTable: { session: 6, ...one, ...two },
      });
      for (const [table, column] of [
        ['session_offer', 'variant_id'],
        ['session_custom_target', 'value'],
        ['session_view_line', 'sku'],
        ['session_purchase_item', 'sku'],
      ] as const) {
        const { rows } = await visits.client.query<{ misplaced: string }>(
          `select count(*) as misplaced from ${table} where ${column}::bigint + 1 <> ordinal`,
        );
        assert.equal(rows[0]?.misplaced, '0', table);
      }
    });

    for (const threads of [1, 2]) {
      it(`over pieces, with ${threads === 1 ? 'one thread' : 'two threads'}`, async () => {
        const each = (id: number): string => {
          if (id % 10 === 3) return '';
          const offers = [1, 2, 3].map((offer) => `"${offer}":${id * 10 + offer}`).join();
          const odd = id % 1000 === 7 ? ',"start_time":"x"' : '';
          return `{"session_id":"${id}","guid":"${'u'.repeat(400)}","offers":{${offers}},"view_lines":[{"sku":${id}}]${odd}}`;
        };
        const content = Array.from({ length: 50_000 }, (_, index) => `${each(index)}\n`).join('');
        const landed = await landVisits(visits, [gzipSync(content, { level: 1 })], undefined, threads);
        assert.deepEqual([landed.parsed, landed.taken, landed.bad.length], [45_000, 44_950, 50]);
        assert.ok(landed.bad.every((row, index) => row.line === index * 1000 + 8));
        assert.equal(landed.rows['session_offer']?.length, 44_950 * 3);
        for (const table of ['session', 'session_offer', 'session_view_line']) {
          assert.ok(
            landed.rows[table]?.every((row) => Number(row['session_id']) + 1 === Number(row['_line'])),
            table,
          );
        }
        assert.ok(
          landed.rows['session_offer']?.every((row, index) => row['ordinal'] === String((index % 3) + 1)),
        );
      });
    }
  });
});

function row(session_id: string, ordinal: string, values: TextRow): TextRow {
  return { session_id, ordinal, ...values, _file_id: '1', _line: '1', _extra: null };
}

function present(row: TextRow): TextRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

function without(row: TextRow | undefined, names: RegExp): TextRow {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => !names.test(name)));
}
