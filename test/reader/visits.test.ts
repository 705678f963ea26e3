import assert from 'node:assert/strict';

import type { LandedSessions, Sessions } from './nested-landing.js';
import { landVisits, visitDatabase } from './visits.js';

/** A visit's line: its key, and what else is written in it. */
const written = (more = '', key = '"site":"s","visit":"v","began":1511441593539'): string =>
  `{${key}${more === '' ? '' : `,${more}`}}`;

describe('lines of two generations', function () {
  this.timeout(60_000);
  let database: Sessions;
  before(async () => {
    database = await visitDatabase();
  });
  after(() => database.drop());
  const land = (...lines: string[]): Promise<LandedSessions> => landVisits(database, lines);
  const columns = (landed: LandedSessions, table: string, names: string): (string | null | undefined)[][] =>
    landed.rows[table]?.map((row) => names.split(' ').map((name) => row[name])) ?? [];
  const reasons = (landed: LandedSessions): string[] => landed.bad.map(({ reason }) => reason);

  describe('are bad where a part of their key', () => {
    it('is missing or null', async () => {
      const landed = await land(
        '{"visit":"v","began":1}',
        '{"site":null,"oldSite":null,"visit":"v","began":1}',
        '{"site":"s","visit":"v"}',
        '{"site":"s","visit":"v","began":null}',
        '{"site":"s","began":1}',
        '{"oldSite":"s","visit":"v","began":1}',
        '{}',
        '{"site":"s","visit":"v","began":"soon"}',
      );
      assert.deepEqual(reasons(landed), [
        'site is missing, and it is of the key',
        'site is missing, and it is of the key',
        'began is missing, and it is of the key',
        'began is missing, and it is of the key',
        'visit is missing, and it is the key',
        'site is missing, and it is of the key',
        'began is not an instant between the years 1 and 9999: soon',
      ]);
      assert.deepEqual(columns(landed, 'visit', 'site _line'), [['s', '6']]);
    });

    it('is a text that is too long, by the name that it came under', async () => {
      const long = 'é'.repeat(501);
      const landed = await land(
        `{"site":"${long}","visit":"v","began":1}`,
        `{"oldSite":"${long}","visit":"v","began":1}`,
        `{"site":"s","visit":"${long}","began":1}`,
        `{"site":"${'x'.repeat(1000)}","visit":"v","began":1}`,
      );
      assert.deepEqual(reasons(landed), [
        'site is longer than 1000 bytes, and it is of the key',
        'oldSite is longer than 1000 bytes, and it is of the key',
        'visit is longer than 1000 bytes, and it is the key',
      ]);
      assert.equal(landed.taken, 1);
    });
  });

  describe('have a field by its former name', () => {
    it('where the current one is absent or null, at any level', async () => {
      const landed = await land(
        written('"cityName":"Graz","screenWidth":1080,"steps":[{"title":"old","oldTraits":{"a":[1,null]}}]'),
        written(
          '"city":null,"cityName":"Graz","width":null,"screenWidth":"9007199254740993",' +
            '"steps":[{"label":null,"title":"old","traits":null,"oldTraits":[ ]}]',
        ),
        written('"city":"Linz","width":1,"steps":[{"label":"new","traits":1}]'),
        written(
          '"city":"Linz","cityName":null,"width":1,"screenWidth":null,"steps":[{"label":"new","title":null}]',
        ),
        written('"cityName":null,"steps":[{"label":null,"title":null,"traits":null,"oldTraits":null}]'),
        written('"city":"","cityName":null'),
      );
      assert.deepEqual(landed.bad, []);
      assert.deepEqual(columns(landed, 'visit', 'city width width_or_null _extra'), [
        ['Graz', '1080', '1080', null],
        ['Graz', '9007199254740993', '9007199254740993', null],
        ['Linz', '1', '1', null],
        ['Linz', '1', '1', null],
        [null, null, null, null],
        ['', null, null, null],
      ]);
      assert.deepEqual(columns(landed, 'step', 'label traits _extra'), [
        ['old', '{"a": [1, null]}', null],
        ['old', '[]', null],
        ['new', '1', null],
        ['new', null, null],
        [null, null, null],
      ]);
    });

    it('and keep it in _extra, as it came, where both have a value', async () => {
      const landed = await land(
        written('"city":"Linz","cityName":"Graz"'),
        written(
          '"city":"","cityName":{"a":null,"n":18446744073709551617},"width":1,"screenWidth":2,"new":null',
        ),
        written('"city":"Linz","cityName":null,"width":1,"screenWidth":9007199254740993'),
        written(
          '"steps":[{"label":"a","title":"b"},{"title":"b"},{"traits":[],"oldTraits":[{"x":null}],"y":0}]',
        ),
      );
      assert.deepEqual(landed.bad, []);
      assert.deepEqual(columns(landed, 'visit', 'city width _extra'), [
        ['Linz', null, '{"cityName": "Graz"}'],
        ['', '1', '{"new": null, "cityName": {"a": null, "n": 18446744073709551617}, "screenWidth": 2}'],
        ['Linz', '1', '{"screenWidth": 9007199254740993}'],
        [null, null, null],
      ]);
      assert.deepEqual(columns(landed, 'step', 'label traits _extra'), [
        ['a', null, '{"title": "b"}'],
        ['b', null, null],
        [null, '[]', '{"y": 0, "oldTraits": [{"x": null}]}'],
      ]);
    });

    it('and faults say under which it came', async () => {
      const landed = await land(
        written('"width":"wide"'),
        written('"screenWidth":"wide"'),
        written('"width":null,"screenWidth":1.5'),
        written('"width":"wide","screenWidth":1'),
        written('"cityName":"\\u0000"'),
        written('"steps":[{},{"title":"\\u0000"}]'),
        written('"steps":[{"label":"\\u0000","title":"x"}]'),
        written('"steps":[{"oldTraits":["\\u0000"]}]'),
        written('"city":"x","cityName":"\\u0000"'),
        written('"screenWidth":1,"screenWidth":1'),
        written('"width":1,"screenWidth":1,"screenWidth":1'),
        written('"steps":[{"title":"x","title":"x"}]'),
      );
      assert.deepEqual(reasons(landed), [
        'width is not a whole number of 64 bits: wide',
        'screenWidth is not a whole number of 64 bits: wide',
        'screenWidth is not a whole number of 64 bits: 1.5',
        'width is not a whole number of 64 bits: wide',
        'cityName holds the character NUL',
        'steps[2].title holds the character NUL',
        'steps[1].label holds the character NUL',
        'steps[1].oldTraits holds the character NUL',
        '_extra holds the character NUL',
        'the line has a key twice',
        'the line has a key twice',
        'steps[1] has a key twice',
      ]);
      assert.equal(landed.taken, 0);
    });
  });

  it('have null in a lenient column for what cannot be typed, beside the value as it came', async () => {
    const values = [
      '"12"',
      '12',
      '1.0',
      '1.5',
      '"x"',
      '""',
      'null',
      'true',
      '[1]',
      '{}',
      '1e3',
      '"9223372036854775808"',
    ];
    const landed = await land(
      written(`"numbers":{${values.map((value, index) => `"${index}":${value}`).join()}}`),
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual(columns(landed, 'note', 'value whole amount'), [
      ['12', '12', '12'],
      ['12', '12', '12'],
      ['1.0', '1', '1'],
      ['1.5', null, '1.5'],
      ['x', null, null],
      ['', null, null],
      [null, null, null],
      ['true', null, null],
      ['[1]', null, null],
      ['{}', null, null],
      ['1000.0', '1000', '1000'],
      ['9223372036854775808', null, '9.223372036854776e+18'],
    ]);
    const instants = [
      '1511441593539',
      '"2026-11-20T00:00:00+01:00"',
      '"soon"',
      '99999999999999999',
      '0.5',
      '"5.0"',
      'null',
    ];
    const dated = await land(
      written(`"instants":[${instants.map((value) => `{"key":"k","value":${value}}`).join()}]`),
    );
    assert.deepEqual(columns(dated, 'note', 'instant'), [
      ['2017-11-23 12:53:13.539+00'],
      ['2026-11-19 23:00:00+00'],
      [null],
      [null],
      [null],
      ['1970-01-01 00:00:00.005+00'],
      [null],
    ]);
    assert.deepEqual(
      columns(await land(written('"width":"1.5"'), written('"width":7')), 'visit', 'width_or_null'),
      [['7']],
    );
  });

  it('number the rows of a table over all of its fields, each with what is fixed there', async () => {
    const landed = await land(
      written(
        '"oldWords":{"c":"1","d":"x"},"numbers":{"n":1.5},"words":[{"key":"a","value":"b"},{"value":"x","new":1}],' +
          '"instants":[{"key":"i","value":5}],"steps":[{},{}]',
      ),
      written('"oldWords":{"c":1},"words":null,"numbers":{ },"instants":[ ]'),
      written('"words":[],"oldWords":null,"instants":[{},{}],"numbers":{"":""}'),
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual(
      columns(landed, 'note', '_line ordinal kind source name value whole amount instant _extra'),
      [
        ['1', '1', 'word', "it's list", 'a', 'b', null, null, null, null],
        ['1', '2', 'word', "it's list", null, 'x', null, null, null, '{"new": 1}'],
        ['1', '3', 'number', "it's map", 'n', '1.5', null, '1.5', null, null],
        ['1', '4', 'instant', "it's list", 'i', '5', null, null, '1970-01-01 00:00:00.005+00', null],
        ['1', '5', 'word', "it's map", 'c', '1', '1', null, null, null],
        ['1', '6', 'word', "it's map", 'd', 'x', null, null, null, null],
        ['2', '1', 'word', "it's map", 'c', '1', '1', null, null, null],
        ['3', '1', 'number', "it's map", '', '', null, null, null, null],
        ['3', '2', 'instant', "it's list", null, null, null, null, null, null],
        ['3', '3', 'instant', "it's list", null, null, null, null, null, null],
      ],
    );
    assert.deepEqual(columns(landed, 'step', '_line ordinal'), [
      ['1', '1'],
      ['1', '2'],
    ]);
  });

  it('leave nothing of a bad line in any of these fields, and say where the fault lies', async () => {
    const all = '"words":[{"key":"a"}],"numbers":{"n":1},"oldWords":{"o":1}';
    const landed = await land(
      written(`${all},"instants":[{},7]`),
      written(all),
      written('"words":[{"key":"a"}],"numbers":{"n":1,"n":2}'),
      written('"words":{"a":"b"}'),
      written('"oldWords":["a"]'),
      written('"words":[{"key":"a\\u0000"}],"oldWords":{"b":"\\u0000"}'),
      written('"oldWords":{"a":"b","b":"\\u0000"}'),
    );
    assert.deepEqual(reasons(landed), [
      'instants[2] is not an object: 7',
      'numbers has a key twice',
      'words is not a list: {"a":"b"}',
      'oldWords is not an object: ["a"]',
      'words[1].key holds the character NUL',
      'oldWords[2].value holds the character NUL',
    ]);
    assert.deepEqual(columns(landed, 'note', '_line ordinal'), [
      ['2', '1'],
      ['2', '2'],
      ['2', '3'],
    ]);
  });

  it('keep lists and objects within their rows as JSON', async () => {
    const landed = await land(
      written(
        '"steps":[{"goals":["a",{"key":"k","value":9223372036854775807}]},{"goals":[ ]},{"goals":null},{},' +
          '{"goals":"text","took":3}]',
      ),
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual(columns(landed, 'step', 'goals took'), [
      ['["a", {"key": "k", "value": 9223372036854775807}]', null],
      ['[]', null],
      [null, null],
      [null, null],
      ['"text"', '3'],
    ]);
  });

  it('are read in 256 MB where many are long, and most of what they hold is null', async () => {
    const nulls = Array.from({ length: 30 }, (_, index) => `"nothing${index}":null`).join();
    const steps = Array.from(
      { length: 20 },
      (_, took) => `{"took":${took},"label":null,"traits":{${nulls}}}`,
    );
    const line = written(`"steps":[${steps.join()}]`);
    const lines = Math.ceil(18e6 / line.length);
    assert.ok(lines < 2_048, `${lines} lines`);
    const landed = await land(...Array.from({ length: lines }, () => line));
    assert.deepEqual([landed.bad, landed.taken, landed.rows['step']?.length], [[], lines, lines * 20]);
  });

  it('are of no rows where a list or a map is null, absent or empty, however it is written', async () => {
    const fields = ['words', 'numbers', 'instants', 'oldWords', 'steps'];
    const empty = (field: string): string => (field === 'numbers' || field === 'oldWords' ? '{ }' : '[ ]');
    const landed = await land(
      written(),
      written(fields.map((field) => `"${field}":null`).join()),
      written(fields.map((field) => `"${field}" : ${empty(field)}`).join(' , ')),
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual([landed.rows['note'], landed.rows['step']], [[], []]);
    assert.deepEqual(columns(landed, 'visit', '_extra'), [[null], [null], [null]]);
  });
});
