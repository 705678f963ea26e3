import assert from 'node:assert/strict';

import fc from 'fast-check';

import {
  dayFolder,
  goneFrom,
  isYearFolder,
  monthFolders,
  parseDayFolder,
  parseKey,
  whyIgnored,
} from '../../../vendors/monetate/layout.js';

const dates = fc
  .integer({ min: 0, max: 40_000 })
  .map((number) => new Date(number * 86_400_000).toISOString().slice(0, 10));

describe('the layout of Session Stream', () => {
  it("the vendor's example is a file of the 15 minutes from 03:45", () => {
    assert.deepEqual(parseKey('2017/05/01/20170501T034500.000Z_PT15M-1477542463784.json.gz'), {
      date: '2017-05-01',
      from: Date.parse('2017-05-01T03:45:00Z'),
      length: 900_000,
    });
  });

  describe('tells why it passes over', () => {
    const name = '20170501T034500.000Z_PT15M-1477542463784.json.gz';
    const cases: readonly (readonly [string, string | undefined])[] = [
      [`2017/05/01/${name}`, undefined],
      ['2017/05/01/20170501T034500.000Z_PT15M-a1b2_c-3.json.gz', undefined],
      // Sessions all the same, should the vendor ever write such.
      ['2017/05/01/20170501T030000.000Z_PT1H-1.json.gz', undefined],
      [`2017/05/02/${name}`, undefined],
      ['', 'folder'],
      ['2017/05/01/', 'folder'],
      [name, 'in a folder of its own'],
      [`2017/05/01/old/${name}`, 'in a folder of its own'],
      [`2017/13/01/${name}`, 'in a folder of its own'],
      [`2017/05/01/${name}.filepart`, 'an upload under way'],
      [`2017/05/01/${name}.tmp`, 'an upload under way'],
      [`2017/05/01/.${name}`, 'an upload under way'],
      ['2017/05/01/20170501T034500.000Z_PT15M-1.json', 'not of this export'],
      ['2017/05/01/20170501T034500.000Z_PT15M-.json.gz', 'not of this export'],
      ['2017/05/01/20170501T034500.000Z_PT0M-1.json.gz', 'not of this export'],
      ['2017/05/01/20170501T034500.000Z_PT15D-1.json.gz', 'not of this export'],
      ['2017/05/01/20170230T034500.000Z_PT15M-1.json.gz', 'not of this export'],
      ['2017/05/01/20170501T254500.000Z_PT15M-1.json.gz', 'not of this export'],
      ['2017/05/01/20170501T034500Z_PT15M-1.json.gz', 'not of this export'],
      ['2017/05/01/20170501T034500.000Z_PT15M-1.json.gz.md5', 'not of this export'],
      ['2017/05/01/readme.txt', 'not of this export'],
    ];
    for (const [key, reason] of cases) {
      it(`'${key}': ${reason ?? 'it does not'}`, () => {
        assert.equal(whyIgnored(key), reason);
        assert.equal(parseKey(key) === undefined, reason !== undefined);
      });
    }

    it('any key, without throwing', () => {
      fc.assert(
        fc.property(fc.string(), (key) => assert.equal(whyIgnored(key) === undefined, !!parseKey(key))),
      );
    });
  });

  it('folders are UTC days', () => {
    assert.equal(dayFolder('2017-05-01'), '2017/05/01/');
    assert.throws(() => dayFolder('2017-05-32'), RangeError);
    fc.assert(fc.property(dates, (date) => assert.equal(parseDayFolder(dayFolder(date)), date)));
    for (const folder of [
      '2017/05/01',
      '2017/02/30/',
      '2017/5/1/',
      'a/2017/05/01/',
      '2017/05/01/a/',
      '',
      '/',
    ]) {
      assert.equal(parseDayFolder(folder), undefined, folder);
    }
    assert.ok(isYearFolder('2017/') && !isYearFolder('raw_data/') && !isYearFolder('2017'));
  });

  it('days are found in the folders of their months', () => {
    assert.deepEqual(monthFolders('2026-11-20', '2026-11-20'), ['2026/11/']);
    assert.deepEqual(monthFolders('2026-11-29', '2027-02-01'), [
      '2026/11/',
      '2026/12/',
      '2027/01/',
      '2027/02/',
    ]);
    assert.deepEqual(monthFolders('2026-11-20', '2026-11-19'), []);
  });

  it('files are kept for 820 days', () => {
    assert.equal(goneFrom('2026-11-20'), Date.parse('2029-02-17T00:00:00Z'));
  });
});
