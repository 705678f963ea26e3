import assert from 'node:assert/strict';

import fc from 'fast-check';

import { batcher } from '../../warehouse/plan-load.js';

/** Batch numbers of files of these sizes. */
function batches(sizes: readonly number[], limits: { files: number; bytes: number }): number[] {
  return sizes.map(batcher(limits));
}

describe('batches', () => {
  const cases: readonly [string, number[], { files: number; bytes: number }, number[]][] = [
    ['of no file are none', [], { files: 3, bytes: 100 }, []],
    [
      'hold as many files as the limit',
      [1, 1, 1, 1, 1, 1, 1],
      { files: 3, bytes: 100 },
      [0, 0, 0, 1, 1, 1, 2],
    ],
    ['hold as many bytes as the limit', [40, 60, 1, 99, 1], { files: 9, bytes: 100 }, [0, 0, 1, 1, 2]],
    ['of one large file each', [100, 100, 100], { files: 9, bytes: 100 }, [0, 1, 2]],
    [
      'keep a file that is larger than the limit by itself',
      [10, 500, 10, 10],
      { files: 9, bytes: 100 },
      [0, 1, 2, 2],
    ],
    ['hold files without a byte', [0, 0, 0, 0], { files: 3, bytes: 0 }, [0, 0, 0, 1]],
    ['begin with a file that is larger than the limit', [500, 10], { files: 9, bytes: 100 }, [0, 1]],
  ];
  for (const [title, sizes, limits, expected] of cases) {
    it(title, () => assert.deepEqual(batches(sizes, limits), expected));
  }

  it('keep the order, hold every file once, respect their limits and are as few as the order allows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { maxLength: 200 }),
        fc.record({ files: fc.integer({ min: 1, max: 20 }), bytes: fc.nat(2_000) }),
        (sizes, limits) => {
          const numbers = batches(sizes, limits);
          assert.equal(numbers.length, sizes.length);
          numbers.forEach((number, index) => {
            const step = number - (numbers[index - 1] ?? 0);
            assert.ok(index === 0 ? number === 0 : step === 0 || step === 1, 'numbers go up one by one');
          });
          const last = numbers.at(-1) ?? -1;
          for (let batch = 0; batch <= last; batch += 1) {
            const members = sizes.filter((_, index) => numbers[index] === batch);
            const bytes = members.reduce((sum, size) => sum + size, 0);
            assert.ok(members.length >= 1 && members.length <= limits.files);
            assert.ok(members.length === 1 || bytes <= limits.bytes);
            const next = sizes[numbers.indexOf(batch + 1)];
            const hasRoom =
              next !== undefined && members.length < limits.files && bytes + next <= limits.bytes;
            assert.ok(batch === last || !hasRoom, 'the next file would have fitted');
          }
        },
      ),
    );
  });
});
