import assert from 'node:assert/strict';

import fc from 'fast-check';

import {
  classify,
  dayPrefix,
  isOptimizelyType,
  markerKey,
  optimizelyTypes,
  parseDayFolder,
  typePrefix,
  type Classified,
} from '../../../vendors/optimizely/layout.js';
import { escapePartition } from '../../../vendors/optimizely/partition.js';

const uuid = 'f1c6c551-2762-401d-bc5e-c4dfb9cfd078';
const part = `part-00000-${uuid}.c000.snappy.parquet`;
const hidden: Classified = { kind: 'ignored', reason: 'hidden' };
const notAPart: Classified = { kind: 'ignored', reason: 'not a part' };
const ofPart = (partitionValue: string | null): Classified => ({ kind: 'part', partitionValue });

describe('the layout of the export', () => {
  it('names prefixes with their final slash, without which the vendor refuses to list', () => {
    assert.equal(typePrefix('decisions'), 'type=decisions/');
    assert.equal(dayPrefix('events', '2020-05-25'), 'type=events/date=2020-05-25/');
  });

  it('has the marker at the date', () => {
    assert.equal(markerKey('events', '2020-05-25'), 'type=events/date=2020-05-25/_SUCCESS');
  });

  it('knows its types', () => {
    assert.deepEqual(optimizelyTypes, ['decisions', 'events']);
    assert.ok(isOptimizelyType('events'));
    assert.ok(!isOptimizelyType('results'));
    assert.ok(!isOptimizelyType('toString'));
  });

  describe('day folders', () => {
    const cases: readonly (readonly [string, string | undefined])[] = [
      ['type=events/date=2020-05-25/', '2020-05-25'],
      ['type=decisions/date=2024-02-29/', '2024-02-29'],
      ['type=decisions/date=2023-02-29/', undefined],
      ['type=decisions/date=2023-13-01/', undefined],
      ['type=decisions/date=20230101/', undefined],
      ['type=decisions/date=2023-01-01', undefined],
      ['type=decisions/date=2023-01-01/event=a/', undefined],
      ['type=decisions/date=__HIVE_DEFAULT_PARTITION__/', undefined],
      ['type=decisions/_temporary/', undefined],
      ['date=2023-01-01/', undefined],
      ['', undefined],
    ];
    for (const [folder, date] of cases) {
      it(`'${folder}' is ${date ?? 'no day'}`, () => assert.equal(parseDayFolder(folder), date));
    }
  });

  describe('objects of a day', () => {
    const events: readonly (readonly [path: string, expected: Classified])[] = [
      ['_SUCCESS', { kind: 'marker' }],
      // Only at the date: a task may leave one deeper down.
      ['event=a/_SUCCESS', hidden],
      ['._SUCCESS.crc', hidden],
      [`event=a/.${part}.crc`, hidden],
      [`_temporary/0/task_01/${part}`, hidden],
      [`.hive-staging_1/${part}`, hidden],
      [`_committed_12345`, hidden],
      [part, ofPart(null)],
      [`event=add_to_cart/${part}`, ofPart('add_to_cart')],
      [`event=NULL/${part}`, ofPart('NULL')],
      [`event=__HIVE_DEFAULT_PARTITION__/${part}`, ofPart(null)],
      [`event=_private/${part}`, ofPart('_private')],
      [`event=/${part}`, ofPart('')],
      [`event=a=b/${part}`, ofPart('a=b')],
      [`event=Main_Nav_javascript%3Avoid(0);/${part}`, ofPart('Main_Nav_javascript:void(0);')],
      [`event=21514690867_button_1/hour=7/${part}`, ofPart('21514690867_button_1')],
      [`batch-7/event=x/${part}`, ofPart('x')],
      [`some/folders/${part}`, ofPart(null)],
      [`experiment=1/${part}`, ofPart(null)],
      // The vendor announces Parquet: another format has to fail where people see it.
      [`event=a/part-00000-${uuid}.c000.json.gz`, ofPart('a')],
      ['event=a/part-00000', ofPart('a')],
      ['event=a/0001.parquet', ofPart('a')],
      ['event=a/', { kind: 'ignored', reason: 'folder' }],
      ['', { kind: 'ignored', reason: 'folder' }],
      ['README.txt', notAPart],
      ['event=a/rows.csv', notAPart],
    ];
    for (const [path, expected] of events) {
      it(`'${path}' is ${JSON.stringify(expected)}`, () => {
        assert.deepEqual(classify(`type=events/date=2020-05-25/${path}`, 'events', '2020-05-25'), expected);
      });
    }

    it('takes the folder experiment= for decisions', () => {
      const key = `type=decisions/date=2020-05-25/experiment=18156943409/${part}`;
      assert.deepEqual(classify(key, 'decisions', '2020-05-25'), ofPart('18156943409'));
    });

    for (const key of [
      `type=events/date=2020-05-26/${part}`,
      `type=decisions/date=2020-05-25/${part}`,
      part,
    ]) {
      it(`'${key}' belongs to another delivery`, () => {
        const expected = { kind: 'ignored', reason: 'outside the day' };
        assert.deepEqual(classify(key, 'events', '2020-05-25'), expected);
      });
    }

    it('finds every part that Spark may write, whatever the event is called', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
          const name = text.replaceAll('\0', '');
          const key = `${dayPrefix('events', '2020-05-25')}event=${escapePartition(name)}/${part}`;
          assert.deepEqual(classify(key, 'events', '2020-05-25'), ofPart(name));
        }),
      );
    });

    it('says something of every key, and marker of one only', () => {
      const piece = fc.oneof(fc.constantFrom('_SUCCESS', 'event=a', part, '.', '_', ''), fc.string());
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
          const key = dayPrefix('events', '2020-05-25') + pieces.join('/');
          const { kind } = classify(key, 'events', '2020-05-25');
          assert.equal(kind === 'marker', key === markerKey('events', '2020-05-25'));
          if (/\/[._][^/]*/.test(key) && kind !== 'marker') assert.equal(kind, 'ignored');
        }),
      );
    });
  });
});
