import assert from 'node:assert/strict';

import fc from 'fast-check';

import {
  classify,
  deliveryName,
  fileKey,
  finalizes,
  isMegaphoneType,
  megaphoneTypes,
  parseDeliveryName,
  parseFileKey,
} from '../../../vendors/megaphone/layout.js';
import type { MegaphoneType } from '../../../vendors/megaphone/tables.js';
import type { Classified } from '../../../vendors/vendor.js';

const date = '2026-11-20';
const dates = fc
  .integer({ min: 0, max: 20_000 })
  .map((n) => new Date(n * 86_400_000).toISOString().slice(0, 10));
const types = fc.constantFrom(...megaphoneTypes);

describe('the layout of the Megaphone export', () => {
  it('has a file a day and type', () => {
    // The example of the vendor's page.
    assert.equal(fileKey('metrics', '2019-01-22'), 'metrics-day-2019-01-22.json.gz');
    // One says impression, the other impressions.
    assert.equal(fileKey('impressions', date), 'impression-day-2026-11-20.json.gz');
    assert.equal(fileKey('impressions-v2', date), 'impressions-v2-day-2026-11-20.json.gz');
  });

  it('knows its types', () => {
    assert.deepEqual(megaphoneTypes, ['metrics', 'impressions', 'impressions-v2']);
    assert.ok(isMegaphoneType('metrics'));
    assert.ok(!isMegaphoneType('impression'));
    assert.ok(!isMegaphoneType('toString'));
  });

  describe('names of files', () => {
    const cases: readonly (readonly [MegaphoneType, string, string | undefined])[] = [
      ['metrics', 'metrics-day-2026-11-20.json.gz', date],
      ['metrics', 'metrics-day-2024-02-29.json.gz', '2024-02-29'],
      ['metrics', 'metrics-day-2023-02-29.json.gz', undefined],
      ['metrics', 'metrics-day-20261120.json.gz', undefined],
      ['metrics', 'metrics-day-2026-11-20.json', undefined],
      // The vendor retired it in 2020; old buckets may still hold some.
      ['metrics', 'metrics-day-2020-10-01.csv.gz', undefined],
      ['metrics', 'metrics-day-2026-11-20.json.gz.tmp', undefined],
      ['metrics', 'old/metrics-day-2026-11-20.json.gz', undefined],
      ['metrics', 'metrics-day-.json.gz', undefined],
      ['metrics', '', undefined],
      ['metrics', 'impression-day-2026-11-20.json.gz', undefined],
      ['impressions', 'impression-day-2026-11-20.json.gz', date],
      ['impressions', 'impressions-day-2026-11-20.json.gz', undefined],
      ['impressions', 'impressions-v2-day-2026-11-20.json.gz', undefined],
      ['impressions-v2', 'impressions-v2-day-2026-11-20.json.gz', date],
      ['impressions-v2', 'delivery-v2-day-2026-11-20.json.gz', undefined],
    ];
    for (const [type, key, day] of cases) {
      it(`'${key}' is ${day ?? 'no day'} of ${type}`, () => assert.equal(parseFileKey(type, key), day));
    }

    it('are read back as they were written, by their own type alone', () => {
      fc.assert(
        fc.property(types, types, dates, (type, other, day) => {
          assert.equal(parseFileKey(other, fileKey(type, day)), other === type ? day : undefined);
        }),
      );
    });
  });

  describe('names of deliveries', () => {
    const cases: readonly (readonly [string, { type: MegaphoneType; date: string } | undefined])[] = [
      ['2026-11-20', { type: 'metrics', date }],
      ['impressions/2026-11-20', { type: 'impressions', date }],
      ['impressions-v2/2026-11-20', { type: 'impressions-v2', date }],
      // A delivery has one name.
      ['metrics/2026-11-20', undefined],
      ['impression/2026-11-20', undefined],
      ['impressions/2026-11-31', undefined],
      ['impressions/', undefined],
      ['impressions', undefined],
      ['/2026-11-20', undefined],
      ['2026-11-20/', undefined],
      ['a/impressions/2026-11-20', undefined],
      ['', undefined],
    ];
    for (const [name, expected] of cases) {
      it(`'${name}' is ${JSON.stringify(expected) ?? 'none'}`, () =>
        assert.deepEqual(parseDeliveryName(name), expected));
    }

    it('are read back as they were written', () => {
      fc.assert(
        fc.property(types, dates, (type, day) => {
          assert.deepEqual(parseDeliveryName(deliveryName(type, day)), { type, date: day });
        }),
      );
    });
  });

  describe('markers that close a day', () => {
    const cases: readonly (readonly [string, MegaphoneType | undefined])[] = [
      ['_finalized_impressions-v2_2026-11-20_1795258800', 'impressions-v2'],
      ['_finalized_impressions_v2_2026-11-20_1795258800', 'impressions-v2'],
      ['_finalized_ImpressionsV2_20261120_2026-11-21T10:41:07Z', 'impressions-v2'],
      ['_FINALIZED_IMPRESSION_V2_2026-11-20_20261121_104107', 'impressions-v2'],
      // The timestamp may look like a day too.
      ['_finalized_impressions-v2_2026-11-20_2026-11-21', 'impressions-v2'],
      ['_finalized_impressions-v2_2026-11-19_2026-11-20', undefined],
      // Markers are the second version's.
      ['_finalized_impressions_2026-11-20_1795258800', 'impressions-v2'],
      ['_finalized_impressions-v1_2026-11-20_1795258800', 'impressions'],
      ['_finalized_metrics_2026-11-20_1795258800', 'metrics'],
      ['_finalized_deliveries-v2_2026-11-20_1795258800', undefined],
      ['_finalized_delivery-v2_2026-11-20_1795258800', undefined],
      ['_finalized_metrics_2026-11-20', undefined],
      ['_finalized__2026-11-20_1795258800', undefined],
      ['finalized_metrics_2026-11-20_1795258800', undefined],
      ['x/_finalized_metrics_2026-11-20_1795258800', undefined],
      ['_finalized_metrics_2026-11-20_1795258800/part', undefined],
      ['_SUCCESS', undefined],
    ];
    for (const [key, closes] of cases) {
      it(`'${key}' closes ${closes ?? 'nothing'} of that day`, () => {
        assert.deepEqual(
          megaphoneTypes.filter((type) => finalizes(key, type, date)),
          closes === undefined ? [] : [closes],
        );
      });
    }
  });

  describe('objects beside each other', () => {
    const ignored = (reason: string): Classified => ({ kind: 'ignored', reason });
    const cases: readonly (readonly [string, Classified])[] = [
      ['impressions-v2-day-2026-11-20.json.gz', { kind: 'part', partitionValue: null }],
      ['_finalized_impressions-v2_2026-11-20_1795258800', { kind: 'marker' }],
      ['_finalized_impressions-v2_2026-11-19_1795258800', ignored('marker of another delivery')],
      ['_finalized_metrics_2026-11-20_1795258800', ignored('marker of another delivery')],
      ['impressions-v2-day-2026-11-19.json.gz', ignored('file of another delivery')],
      ['metrics-day-2026-11-20.json.gz', ignored('file of another delivery')],
      ['delivery-v2-day-2026-11-20.json.gz', ignored('not of this export')],
      ['impressions-v2-day-2026-11-20.json.gz.tmp', ignored('not of this export')],
      ['.DS_Store', ignored('not of this export')],
      ['archive/', ignored('folder')],
      ['', ignored('folder')],
      ['archive/impressions-v2-day-2026-11-20.json.gz', ignored('in a folder')],
    ];
    for (const [key, expected] of cases) {
      it(`'${key}' is ${JSON.stringify(expected)}`, () =>
        assert.deepEqual(classify(key, 'impressions-v2', date), expected));
    }

    it('one key is the part, whatever else lies there', () => {
      const pieces = fc.constantFrom(
        'metrics-day-',
        'impression',
        's-v2',
        '-day-',
        date,
        '.json.gz',
        '_',
        '/',
        'x',
      );
      const keys = fc.oneof(
        fc.array(pieces, { maxLength: 5 }).map((list) => list.join('')),
        fc.string(),
      );
      fc.assert(
        fc.property(keys, types, (key, type) => {
          assert.equal(classify(key, type, date).kind === 'part', key === fileKey(type, date));
        }),
        { numRuns: 2_000 },
      );
    });
  });
});
