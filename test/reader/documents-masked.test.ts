import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { Treatment } from '../../config/mask-rules.js';
import { documentTables } from '../../reader/documents/tables.js';
import { session } from '../../vendors/monetate/tables.js';
import { landVisits, openVisits, visitTables, type LandedVisits, type Visits } from './documents-landing.js';
import { hmac, masksFor } from './masked-session.js';
import { reading, textOf } from './reading.js';

type Rules = Readonly<Record<string, Treatment>>;

const usual: Rules = { customer_id: 'hash', customer_link: 'hash', custom_targets: 'hash' };

describe('masked documents', function () {
  this.timeout(60_000);
  let visits: Visits;
  before(async () => {
    visits = await visitTables();
  });
  after(() => visits.drop());

  const land = (rules: Rules, ...lines: string[]): Promise<LandedVisits> =>
    landVisits(visits, [lines.map((line) => `${line}\n`).join('')], undefined, undefined, masksFor(rules));
  const columns = ({ rows }: LandedVisits, table: string, names: string): (string | null | undefined)[][] =>
    (rows[table] ?? []).map((row) => names.split(' ').map((name) => row[name]));
  const json = (text: string | null | undefined): unknown => JSON.parse(text ?? 'null') as unknown;
  const jsonb = (landed: LandedVisits, table: string, name: string): unknown[] =>
    columns(landed, table, name).map(([text]) => json(text));

  it("hash what Monetate's settings name, in each table that has it", async () => {
    const landed = await land(
      usual,
      '{"session_id":"a","customer_id":7,"customer_link":"ann","guid":"g","custom_targets":' +
        '{"11":"ann","12":["7",7,null,[1]],"13":null,"14":{"deep":[true]},"15":[],"16":1.5}}',
      '{"session_id":"b","customer_id":null,"customer_link":"","custom_targets":["ann",{"a":1}]}',
      '{"session_id":"c","custom_targets":"ann"}',
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual(columns(landed, 'session', 'customer_id customer_link guid'), [
      [hmac('7'), hmac('ann'), 'g'],
      [null, hmac(''), null],
      [null, null, null],
    ]);
    const list = [hmac('7'), hmac('7'), null, hmac('[1]')];
    const deep = hmac('{"deep":[true]}');
    assert.deepEqual(jsonb(landed, 'session', 'custom_targets'), [
      { 11: hmac('ann'), 12: list, 13: null, 14: deep, 15: [], 16: hmac('1.5') },
      [hmac('ann'), hmac('{"a":1}')],
      hmac('ann'),
    ]);
    assert.deepEqual(columns(landed, 'session_custom_target', 'ordinal custom_target_id value'), [
      ['1', '11', hmac('ann')],
      ...list.map((value, index) => [String(index + 2), '12', value]),
      ['6', '13', null],
      ['7', '14', deep],
      ['8', '16', hmac('1.5')],
    ]);
  });

  it('leave out a target, and its rows with it', async () => {
    const landed = await land(
      { ...usual, 'custom_targets.1234': 'drop', 'custom_targets.5': 'keep' },
      '{"session_id":"a","custom_targets":{"1234":["ann","bob"],"5":"gold","6":"x"}}',
    );
    assert.deepEqual(jsonb(landed, 'session', 'custom_targets'), [{ 5: 'gold', 6: hmac('x') }]);
    assert.deepEqual(columns(landed, 'session_custom_target', 'ordinal custom_target_id value'), [
      ['1', '5', 'gold'],
      ['2', '6', hmac('x')],
    ]);
    const none = await land({ custom_targets: 'drop' }, '{"session_id":"a","custom_targets":{"5":"gold"}}');
    assert.deepEqual(jsonb(none, 'session', 'custom_targets'), [null]);
    assert.deepEqual(none.rows['session_custom_target'], []);
  });

  it('mask items before columns are lifted out of them', async () => {
    const lines =
      '{"session_id":"a","view_lines":[{"sku":"s","price":5,"mail":"ann"},"x",null],' +
      '"cart_lines":{"k":{"sku":"s","qty":2}},"purchase_lines":{"o":{"total":9,"items":[{"sku":"s"}]}}}';
    const landed = await land(
      {
        ...{ 'view_lines.*.sku': 'hash', 'view_lines.*.mail': 'drop' },
        ...{ 'cart_lines.*': 'hash', purchase_lines: 'hash' },
      },
      lines,
    );
    const sku = hmac('s');
    assert.deepEqual(jsonb(landed, 'session', 'view_lines'), [[{ sku, price: 5 }, 'x', null]]);
    assert.deepEqual(columns(landed, 'session_view_line', 'ordinal sku unit_price'), [
      ['1', sku, '5'],
      ['2', null, null],
      ['3', null, null],
    ]);
    assert.deepEqual(jsonb(landed, 'session_view_line', 'item'), [{ sku, price: 5 }, 'x', null]);
    // A number that is hashed is no number any more.
    assert.deepEqual(columns(landed, 'session_cart_line', 'sku quantity'), [[sku, null]]);
    assert.deepEqual(jsonb(landed, 'session', 'purchase_lines'), [
      { o: hmac('{"total":9,"items":[{"sku":"s"}]}') },
    ]);
    assert.deepEqual(landed.rows['session_purchase_item'], []);
  });

  it('hash a value once, whichever rules name it', async () => {
    const line =
      '{"session_id":"a","custom_targets":{"1":"x","2":"y"},"view_lines":[{"sku":"s"}],"cart_lines":[{"SKU":"s"}],' +
      '"purchase_lines":{"o":{"items":[{"sku":"s","more":{"a":"b"}}]}}}';
    const landed = await land(
      {
        ...{ sku: 'hash', 'view_lines.*.sku': 'hash', 'item.sku': 'hash', 'item.more': 'hash' },
        ...{ 'purchase_lines.*.items.*': 'hash' },
        ...{ 'custom_targets.1': 'hash', 'session_custom_target:value': 'hash' },
      },
      line,
    );
    const sku = hmac('s');
    for (const table of ['session_view_line', 'session_cart_line', 'session_purchase_item']) {
      assert.deepEqual(columns(landed, table, 'sku'), [[sku]], table);
    }
    const items = ['session_view_line', 'session_cart_line', 'session_purchase_item'].map(
      (table) => jsonb(landed, table, 'item')[0],
    );
    assert.deepEqual(items, [{ sku }, { SKU: sku }, { sku, more: hmac('{"a":"b"}') }]);
    assert.deepEqual(columns(landed, 'session_custom_target', 'value'), [[hmac('x')], [hmac('y')]]);
    assert.deepEqual(jsonb(landed, 'session', 'custom_targets'), [{ 1: hmac('x'), 2: 'y' }]);
  });

  it('mask columns of inner tables by themselves', async () => {
    const line =
      '{"session_id":"a","offers":{"5":1000,"6":2000},"purchases":{"o":1.50,"p":2},"custom_targets":{"1":"x","2":"y"},' +
      '"view_lines":[{"sku":"s"}],"purchase_lines":{"o":{"total":9,"items":[{"sku":"s"}]}}}';
    const landed = await land(
      {
        ...{ 'session_offer:variant_id': 'hash', 'session_purchase:value.p': 'drop' },
        ...{ 'session_custom_target:value.1': 'hash', 'session_custom_target:value': 'drop' },
        ...{ 'session_view_line:item': 'drop', 'session_purchase_item:purchase_id': 'hash' },
        'session_purchase_item:purchase_total_value': 'drop',
      },
      line,
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual(columns(landed, 'session_offer', 'ordinal variant_id first_seen'), [
      ['1', hmac('5'), '1970-01-01 00:00:01+00'],
      ['2', hmac('6'), '1970-01-01 00:00:02+00'],
    ]);
    assert.deepEqual(columns(landed, 'session_purchase', 'purchase_id value'), [
      ['o', '1.5'],
      ['p', null],
    ]);
    assert.deepEqual(columns(landed, 'session_custom_target', 'custom_target_id value'), [
      ['1', hmac('x')],
      ['2', null],
    ]);
    assert.deepEqual(columns(landed, 'session_view_line', 'sku item'), [['s', null]]);
    assert.deepEqual(columns(landed, 'session_purchase_item', 'purchase_id purchase_total_value sku'), [
      [hmac('o'), null, 's'],
    ]);
    assert.deepEqual(jsonb(landed, 'session', 'custom_targets'), [{ 1: 'x', 2: 'y' }]);
  });

  it('leave pairs without values that a hash does not fit, and without pairs that are left out', async () => {
    const landed = await land(
      { purchases: 'hash', 'purchases.q': 'keep', 'offers.5': 'drop', page_event_ids: 'drop' },
      '{"session_id":"a","offers":{"5":1000,"6":2000,"7":null},"purchases":{"o":1.50,"q":2},"page_event_ids":{"1":1}}',
      '{"session_id":"b","offers":{"5":"soon"}}',
      '{"session_id":"c","offers":{"6":"soon"}}',
    );
    assert.deepEqual(columns(landed, 'session_offer', 'ordinal variant_id first_seen'), [
      ['1', '6', '1970-01-01 00:00:02+00'],
      ['2', '7', null],
    ]);
    assert.deepEqual(columns(landed, 'session_purchase', 'ordinal purchase_id value'), [
      ['1', 'o', null],
      ['2', 'q', '2'],
    ]);
    assert.deepEqual(landed.rows['session_page_event'], []);
    assert.deepEqual(jsonb(landed, 'session', 'purchases'), [{ o: hmac('1.5'), q: 2 }]);
    const reason = 'offers[1].value is not an instant between the years 1 and 9999 (masked)';
    assert.deepEqual(
      landed.bad.map(({ reason: found, raw }) => [found, raw]),
      [
        [reason, '{"session_id":"b","offers":{}}'],
        [reason, '{"session_id":"c","offers":{"6":"soon"}}'],
      ],
    );
  });

  it('have one key in every table, also where it is hashed', async () => {
    const line =
      '{"session_id":"a","offers":{"1":1},"page_event_ids":{"1":1},"custom_targets":{"1":1},"view_lines":[1],' +
      '"cart_lines":[1],"purchases":{"1":1},"purchase_lines":{"1":{"items":[1]}}}';
    for (const rule of ['session_id', 'session:session_id']) {
      const landed = await land({ [rule]: 'hash' }, line);
      for (const [table, rows] of Object.entries(landed.rows)) {
        assert.deepEqual(
          rows.map(({ session_id }) => session_id),
          [hmac('a')],
          table,
        );
      }
    }
  });

  it('mask fields that no table has a column for', async () => {
    const landed = await land(
      { '_extra.email': 'drop', '_extra.card': 'hash' },
      '{"session_id":"a","email":"ann@","card":[7,"7"],"new":{"email":1}}',
      '{"session_id":"b","email":"ann@"}',
      '{"session_id":"c"}',
      '{"session_id":"d","new":"\\u0000","email":"ann@"}',
    );
    assert.deepEqual(jsonb(landed, 'session', '_extra'), [
      { card: [hmac('7'), hmac('7')], new: { email: 1 } },
      null,
      null,
    ]);
    assert.deepEqual(
      landed.bad.map(({ reason, raw }) => [reason, raw]),
      [['_extra holds the character NUL', '{"session_id":"d","new":"\\u0000"}']],
    );
  });

  it('keep all digits of numbers, and hash them as a text with the same', async () => {
    const long = '1524157875019.0521';
    const targets = `{"1":${long},"2":"${long}","3":{"deep":${long}},"4":[${long}],"5":"{\\"deep\\":${long}}"}`;
    const landed = await land(
      {
        ...{ custom_targets: 'hash', 'view_lines.*.mail': 'drop', 'session_cart_line:item.mail': 'hash' },
        ...{ '_extra.mail': 'drop', '_extra.card': 'hash', customer_id: 'hash', 'purchases.q': 'drop' },
      },
      `{"session_id":"a","customer_id":${long},"custom_targets":${targets},"view_lines":[{"price":${long},"mail":1}],` +
        `"cart_lines":[{"mail":${long},"price":${long}}],"mail":1,"card":${long},"more":${long},` +
        `"purchases":{"o":${long},"q":1}}`,
      `{"session_id":"b","customer_id":"x","custom_targets":{"1":${long}},"session_value":${long},"start_time":"x"}`,
      // Without such a number the next piece hashes as ever.
      '{"session_id":"c","customer_id":7}',
    );
    const deep = hmac(`{"deep":${long}}`);
    assert.deepEqual(columns(landed, 'session', 'customer_id'), [[hmac(long)], [hmac('7')]]);
    assert.deepEqual(jsonb(landed, 'session', 'custom_targets')[0], {
      ...{ 1: hmac(long), 2: hmac(long), 3: deep, 4: [hmac(long)], 5: deep },
    });
    assert.deepEqual(columns(landed, 'session', 'view_lines _extra')[0], [
      `[{"price": ${long}}]`,
      `{"card": "${hmac(long)}", "more": ${long}}`,
    ]);
    assert.deepEqual(columns(landed, 'session_cart_line', 'unit_price item'), [
      [long, `{"mail": "${hmac(long)}", "price": ${long}}`],
    ]);
    assert.deepEqual(columns(landed, 'session_purchase', 'value'), [[long]]);
    assert.deepEqual(
      landed.bad.map(({ raw }) => raw),
      [
        `{"session_id":"b","customer_id":"${hmac('x')}","custom_targets":{"1":"${hmac(long)}"},` +
          `"session_value":${long},"start_time":"x"}`,
      ],
    );
  });

  it('are counted with the entries that are left out', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `"${index}":1`).join();
    const landed = await land(
      { custom_targets: 'drop', 'purchase_lines.*': 'drop' },
      `{"session_id":"a","custom_targets":{${many}},"purchase_lines":{"o":{"items":{${many}}}}}`,
    );
    const names = 'custom_targets custom_targets_truncated purchase_lines purchase_lines_truncated';
    assert.deepEqual(columns(landed, 'session', names), [[null, 'true', '{}', 'true']]);
  });

  it('take 100,000 entries of a field in 256 MB', async () => {
    const many = (of: (index: number) => string): string =>
      Array.from({ length: 100_000 }, (_, index) => of(index)).join();
    const landed = await land(
      usual,
      `{"session_id":"a","custom_targets":{${many((index) => `"${index}":"${index}"`)}}}`,
      '{"session_id":"b","custom_targets":{"t":["ann"]}}',
    );
    const rows = landed.rows['session_custom_target']!;
    assert.equal(rows.length, 100_001);
    assert.deepEqual(
      [rows[99_999]?.['custom_target_id'], rows[99_999]?.['value'], rows[100_000]?.['value']],
      ['99999', hmac('99999'), hmac('ann')],
    );
  });

  describe('in the quarantine', () => {
    const secret = 'canary';
    const a = '"session_id":"a"';
    const rules: Rules = {
      ...usual,
      ...{ guid: 'hash', start_time: 'drop', page_views: 'drop', offers: 'hash', purchases: 'drop' },
      ...{ '_extra.email': 'drop', 'view_lines.*.mail': 'hash', 'session_purchase_item:sku': 'hash' },
    };
    const none = '(masked: * bytes)';
    const instant = 'is not an instant between the years 1 and 9999 (masked)';
    const faults: readonly (readonly [line: string, reason: string, raw: string])[] = [
      ['{"customer_id":"canary', 'the line is not JSON', none],
      ['["canary"]', 'the line is JSON, but no object', none],
      ['"canary"', 'the line is JSON, but no object', none],
      [
        '{"customer_id":"canary"}',
        'session_id is missing, and it is the key',
        `{"customer_id":"${hmac(secret)}"}`,
      ],
      [`{${a},"customer_id":"canary","customer_id":"canary"}`, 'the line has a key twice', none],
      [`{${a},"custom_targets":{"1":"canary","1":"canary"}}`, 'custom_targets has a key twice', none],
      [
        `{${a},"view_lines":[{"mail":"canary","mail":"canary"}]}`,
        'an object in view_lines has a key twice (masked)',
        none,
      ],
      [`{${a},"offers":"canary"}`, 'offers is not an object (masked)', `{${a},"offers":"${hmac(secret)}"}`],
      [`{${a},"page_event_ids":7}`, 'page_event_ids is not an object (masked)', `{${a},"page_event_ids":7}`],
      [
        `{${a},"offers":{"1":"canary"}}`,
        `offers[1].value ${instant}`,
        `{${a},"offers":{"1":"${hmac(secret)}"}}`,
      ],
      [
        `{${a},"purchases":{"o":"canary"}}`,
        'purchases[1].value is not a decimal number that numeric can hold (masked)',
        `{${a}}`,
      ],
      [`{${a},"start_time":"canary"}`, `start_time ${instant}`, `{${a}}`],
      [`{${a},"page_views":"canary"}`, 'page_views is not a whole number of 64 bits (masked)', `{${a}}`],
      [
        `{${a},"end_time":"soon","guid":{"x":"canary"},"email":"canary","purchase_lines":{"o":"canary"}}`,
        'end_time is not an instant between the years 1 and 9999: soon',
        `{${a},"end_time":"soon","guid":"${hmac('{"x":"canary"}')}"}`,
      ],
      [
        `{${a},"guid":"canary\\u0000"}`,
        'guid holds the character NUL',
        `{${a},"guid":"${hmac('canary\0')}"}`,
      ],
      [
        `{${a},"custom_targets":{"1":["canary\\u0000"]}}`,
        'custom_targets holds the character NUL',
        `{${a},"custom_targets":{"1":["${hmac('canary\0')}"]}}`,
      ],
      [
        `{${a},"custom_targets":{"1":NaN}}`,
        'custom_targets holds what is no JSON to Postgres, such as NaN or Infinity',
        `{${a},"custom_targets":{"1":"${hmac('NaN')}"}}`,
      ],
      [
        `{${a},"email":Infinity}`,
        '_extra holds what is no JSON to Postgres, such as NaN or Infinity',
        `{${a}}`,
      ],
      [
        `{${a},"customer_id":0.${'1'.repeat(5_001)}}`,
        'the line holds a number that is longer than 5000 letters',
        `{${a},"customer_id":"${hmac(`0.${'1'.repeat(5_001)}`)}"}`,
      ],
    ];
    const lines = faults.flatMap(([line], index) => [line, `{"session_id":"good ${index}"}`]);

    it('lines say what is wrong with them, and quote nothing', async () => {
      const landed = await land(rules, ...lines);
      assert.deepEqual(
        landed.bad,
        faults.map(([line, reason, raw], index) => ({
          ...{ file: '1', line: 2 * index + 1, reason },
          raw: raw.replace('*', line.length.toLocaleString('en')),
        })),
      );
      assert.equal(landed.taken, faults.length);
      assert.ok(!JSON.stringify(landed).includes(secret));
    });

    it('lines lie masked until they are asked for, and so do rows', async () => {
      await reading(async (at) => {
        const rows = await openVisits(at, [`${lines.join('\n')}\n`], masksFor(rules));
        await rows.good(async (stream) => (await textOf(stream)).length);
        const left = (await readdir(at.folder)).filter((name) => /^(bad|rows-)/.test(name));
        assert.ok(left.includes('bad') && left.length > 1);
        for (const name of left) {
          const bytes = await readFile(join(at.folder, name));
          const text = (name === 'bad' ? gunzipSync(bytes) : bytes).toString();
          assert.ok(text !== '' && !text.includes(secret), name);
        }
      });
    });

    it('lines that are no text, or too long, are kept by their length', async () => {
      const content = Buffer.from(
        `{${a},"guid":"canary\0"}\n{${a},"guid":"canary?"}\n{${a},"guid":"${'x'.repeat(16_000_000)}"}\n`,
      );
      content[content.indexOf('?')] = 0xff;
      const { bad } = await landVisits(visits, [content], undefined, undefined, masksFor(rules));
      assert.deepEqual(
        bad.map(({ reason, raw }) => [reason, raw]),
        [
          ['the line holds the character NUL', '(masked: 35 bytes)'],
          ['the line is not UTF-8', '(masked: 35 bytes)'],
          ['the line is longer than 16000000 bytes', '(masked: more than 16,000,000 bytes)'],
        ],
      );
    });
  });

  it('are asked for by other queries only where there are rules', async () => {
    const queries = async (rules: Rules): Promise<string[]> => {
      const asked: string[] = [];
      const constants = {
        exportDate: '2026-11-20',
        partitionValue: null,
        loadId: '7',
        masks: masksFor(rules),
      };
      const piece = { path: 'lines', blank: '""', runs: [], longNumbers: true };
      const answers = (sql: string): unknown[][] => {
        asked.push(sql);
        // Some names that columns are lifted from, a key twice, and fields that may be long.
        return sql.includes('list_intersect')
          ? [[['sku', 'price', 'time', 'total'], true]]
          : [[true, true, true]];
      };
      const { rows } = await documentTables(session, constants, 'mark').unfold(
        piece,
        (sql) => {
          asked.push(sql);
          return Promise.resolve();
        },
        (sql) =>
          Promise.resolve(sql.includes('from bad_line') ? [] : sql.includes('group by') ? [] : answers(sql)),
      );
      return [...asked, ...rows.map(({ select }) => select)];
    };
    const [without, kept, masked] = await Promise.all(
      [{}, { customer_id: 'keep' } as const, usual].map(queries),
    );
    assert.ok(!without!.some((sql) => sql.includes('mask')));
    assert.deepEqual(kept, without);
    assert.ok(masked!.some((sql) => sql.includes('mask_text')));
    // What no rule names is read as ever.
    const of = (table: string) => (sql: string) => sql.includes(`table ${table} as`);
    assert.equal(masked!.find(of('within_0')), without!.find(of('within_0')));
    assert.equal(masked!.find(of('within_3')), without!.find(of('within_3')));
    assert.notEqual(masked!.find(of('within_2')), without!.find(of('within_2')));
  });
});
