import assert from 'node:assert/strict';

import fc from 'fast-check';

import { escapePartition, unescapePartition } from '../../../vendors/optimizely/partition.js';

describe('values of partition folders', () => {
  const cases: readonly (readonly [folder: string, value: string | null])[] = [
    ['18156943409', '18156943409'],
    // Keys seen in the vendor's buckets.
    ['21514690867_button_1', '21514690867_button_1'],
    ['Main_Nav_javascript%3Avoid(0);', 'Main_Nav_javascript:void(0);'],
    ['NULL', 'NULL'],
    ['__HIVE_DEFAULT_PARTITION__', null],
    ['a%2Fb%3Dc%25d', 'a/b=c%d'],
    ['tab%09here', 'tab\there'],
    ['lower%2f', 'lower/'],
    ['Größe €', 'Größe €'],
    ['%253A', '%3A'],
    ['', ''],
  ];
  for (const [folder, value] of cases) {
    it(`reads '${folder}' as ${value === null ? 'no value' : `'${value}'`}`, () => {
      assert.equal(unescapePartition(folder), value);
    });
  }

  for (const folder of ['100%', '%', '%2', '%zz', '50%-off', '%G0', '%C3%A9', '%00', '%+1']) {
    it(`keeps '${folder}', which Spark would not have written`, () => {
      assert.equal(unescapePartition(folder), folder);
    });
  }

  it('escapes what Spark escapes, and nothing else', () => {
    const ascii = Array.from({ length: 0x7f }, (_, code) => String.fromCharCode(code + 1)).join('');
    const kept = escapePartition(ascii).replace(/%../g, '');
    assert.equal(kept, ` !$&()+,-.0123456789;<>@ABCDEFGHIJKLMNOPQRSTUVWXYZ_\`abcdefghijklmnopqrstuvwxyz|}~`);
    assert.equal(escapePartition('a:b\u0001\u007fé'), 'a%3Ab%01%7Fé');
    assert.equal(escapePartition(null), '__HIVE_DEFAULT_PARTITION__');
  });

  it('reads back whatever Spark may have written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }), (text, ascii) => {
        const value = (text + ascii).replaceAll('\0', '');
        assert.equal(unescapePartition(escapePartition(value)), value);
        assert.doesNotMatch(escapePartition(value), /[/=:?#]/);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (folder) => void unescapePartition(folder)));
  });
});
