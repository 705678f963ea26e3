import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import type { Treatment } from '../../config/mask-rules.js';
import type { LandedSessions, Sessions } from './nested-landing.js';
import { landVisits, maskKey, visitDatabase } from './visits.js';

const hmac = (text: string): string => createHmac('sha256', maskKey).update(text).digest('hex');
const key = '"site":"s","visit":"v","began":1';

describe('rules for lines of two generations', function () {
  this.timeout(60_000);
  let database: Sessions;
  before(async () => {
    database = await visitDatabase();
  });
  after(() => database.drop());
  const land = (
    rules: Readonly<Record<string, Treatment>>,
    ...lines: readonly string[]
  ): Promise<LandedSessions> =>
    landVisits(
      database,
      lines.map((more) => `{${key},${more}}`),
      rules,
    );
  const columns = (landed: LandedSessions, table: string, names: string): (string | null | undefined)[][] =>
    landed.rows[table]?.map((row) => names.split(' ').map((name) => row[name])) ?? [];

  const cities = ['"city":"Graz"', '"cityName":"Graz"', '"city":"Linz","cityName":"Graz","new":"Wien"'];

  it('for a column hold under both names of its field, also where one is kept in _extra', async () => {
    const hashed = await land(
      { city: 'hash', 'step:label': 'hash' },
      ...cities,
      '"steps":[{"label":"a","title":"b"}]',
    );
    assert.deepEqual(columns(hashed, 'visit', 'city _extra'), [
      [hmac('Graz'), null],
      [hmac('Graz'), null],
      [hmac('Linz'), `{"new": "Wien", "cityName": "${hmac('Graz')}"}`],
      [null, null],
    ]);
    assert.deepEqual(columns(hashed, 'step', 'label _extra'), [[hmac('a'), `{"title": "${hmac('b')}"}`]]);
    const dropped = await land({ city: 'drop', 'traits.mail': 'drop' }, ...cities, traits);
    assert.deepEqual(columns(dropped, 'visit', 'city _extra'), [
      [null, null],
      [null, null],
      [null, '{"new": "Wien"}'],
      [null, null],
    ]);
    assert.deepEqual(columns(dropped, 'step', 'traits _extra'), [
      ['{"a": 1}', null],
      ['{"b": 2}', null],
      ['{"a": 1}', '{"oldTraits": {"b": 2}}'],
    ]);
  });
  const traits =
    '"steps":[{"traits":{"mail":"m","a":1}},{"oldTraits":{"mail":"m","b":2}},' +
    '{"traits":{"mail":"m","a":1},"oldTraits":{"mail":"m","b":2}}]';

  it('for _extra hold for a former name that is kept there, and not for the column', async () => {
    const rules = { _extra: 'hash', 'visit:_extra.new': 'keep' } as const;
    assert.deepEqual(columns(await land(rules, ...cities), 'visit', 'city _extra'), [
      ['Graz', null],
      ['Graz', null],
      ['Linz', `{"new": "Wien", "cityName": "${hmac('Graz')}"}`],
    ]);
    const named = await land({ '_extra.cityName': 'drop', city: 'hash' }, ...cities);
    assert.deepEqual(columns(named, 'visit', 'city _extra').at(-1), [hmac('Linz'), '{"new": "Wien"}']);
  });

  it('hold under both names in what the quarantine keeps, and in its reasons', async () => {
    const bad = '"width":"w","steps":[{"label":"a","title":"b"}]';
    const { bad: hashed } = await land(
      { city: 'hash', 'step:label': 'drop' },
      ...cities.map((city) => `${city},${bad}`),
    );
    const line = (city: string): string => `{${key},${city},"width":"w","steps":[{}]}`;
    assert.deepEqual(
      hashed.map(({ raw }) => raw),
      [
        line(`"city":"${hmac('Graz')}"`),
        line(`"cityName":"${hmac('Graz')}"`),
        line(`"city":"${hmac('Linz')}","cityName":"${hmac('Graz')}","new":"Wien"`),
      ],
    );
    const { bad: dropped } = await land(
      { width: 'drop' },
      '"screenWidth":"w"',
      '"width":null,"screenWidth":1.5',
    );
    assert.deepEqual(
      dropped.map(({ reason, raw }) => [reason, raw]),
      [
        ['screenWidth is not a whole number of 64 bits (masked)', `{${key}}`],
        ['screenWidth is not a whole number of 64 bits (masked)', `{${key}}`],
      ],
    );
    const { bad: extra } = await land({ _extra: 'drop' }, `"cityName":"Graz","width":"w"`);
    assert.deepEqual(
      extra.map(({ raw }) => raw),
      [`{${key},"width":"w"}`],
    );
  });

  const notes =
    '"words":[{"key":"mail","value":"12"},{"key":"b","value":"c"}],"numbers":{"mail":5,"n":6},' +
    '"instants":[{"key":"mail","value":7}],"oldWords":{"mail":"8"}';

  it('for rows of one table hold in each of its fields', async () => {
    const landed = await land({ 'note:value': 'hash', name: 'drop' }, notes);
    assert.deepEqual(columns(landed, 'note', 'kind source name value'), [
      ['word', "it's list", null, hmac('12')],
      ['word', "it's list", null, hmac('c')],
      ['number', "it's map", null, hmac('5')],
      ['number', "it's map", null, hmac('6')],
      ['instant', "it's list", null, hmac('7')],
      ['word', "it's map", null, hmac('8')],
    ]);
  });

  it('for the value of one key hold in lists of pairs and in maps', async () => {
    const landed = await land({ 'note:value.mail': 'hash' }, notes, `${notes},"width":"w"`);
    const value = (text: string): string => hmac(text);
    assert.deepEqual(columns(landed, 'note', 'name value'), [
      ['mail', value('12')],
      ['b', 'c'],
      ['mail', value('5')],
      ['n', '6'],
      ['mail', value('7')],
      ['mail', value('8')],
    ]);
    // In a list the key lies beside the value, so that no value is kept.
    assert.deepEqual(
      landed.bad.map(({ raw }) => raw),
      [
        `{${key},"words":[{"key":"mail"},{"key":"b"}],"numbers":{"mail":"${hmac('5')}","n":6},` +
          `"instants":[{"key":"mail"}],"oldWords":{"mail":"${hmac('8')}"},"width":"w"}`,
      ],
    );
  });

  it('for a value leave out what is typed of it, unless they speak of that column too', async () => {
    const typed = (rules: Readonly<Record<string, Treatment>>) =>
      land(rules, notes).then((landed) => columns(landed, 'note', 'name whole amount instant'));
    const seven = '1970-01-01 00:00:00.007+00';
    const [word, other] = [
      ['mail', null, null, null],
      ['b', null, null, null],
    ];
    assert.deepEqual(await typed({ 'note:value.mail': 'hash' }), [
      ...[word, other, word],
      ['n', '6', '6', null],
      ...[word, word],
    ]);
    assert.deepEqual(await typed({ value: 'drop', whole: 'keep' }), [
      ...[word, other],
      ['mail', '5', null, null],
      ['n', '6', null, null],
      word,
      ['mail', '8', null, null],
    ]);
    assert.deepEqual(await typed({ whole: 'drop' }), [
      ...[word, other],
      ['mail', null, '5', null],
      ['n', null, '6', null],
      ['mail', null, null, seven],
      word,
    ]);
  });

  it('for what is typed of one key hold in lists and maps, and leave no such value in the quarantine', async () => {
    const rules = { 'note:whole.mail': 'drop', 'note:instant.mail': 'drop' } as const;
    const landed = await land(rules, notes, `${notes},"width":"w"`);
    assert.deepEqual(columns(landed, 'note', 'value whole amount instant'), [
      ['12', null, null, null],
      ['c', null, null, null],
      ['5', null, '5', null],
      ['6', '6', '6', null],
      ['7', null, null, null],
      ['8', null, null, null],
    ]);
    assert.deepEqual(
      landed.bad.map(({ raw }) => raw),
      [
        `{${key},"words":[{"key":"mail","value":"12"},{"key":"b","value":"c"}],"numbers":{"n":6},` +
          `"instants":[{"key":"mail"}],"oldWords":{},"width":"w"}`,
      ],
    );
  });

  it('leave fixed columns as they are', async () => {
    const landed = await land({ kind: 'drop', source: 'hash' }, '"words":[{}]');
    assert.deepEqual(columns(landed, 'note', 'kind source'), [['word', "it's list"]]);
  });
});
