import assert from 'node:assert/strict';

import fc from 'fast-check';

import { nextRecord, type CsvRecord } from '../../reader/csv/records.js';

describe('the records of a CSV file', () => {
  const recordsOf = (text: string, width?: number): CsvRecord[] => {
    const bytes = Buffer.from(text);
    const records: CsvRecord[] = [];
    for (let at = 0; ;) {
      const record = nextRecord(bytes, at, true, width);
      if (record === undefined) return records;
      records.push(record);
      at = record.next;
    }
  };
  const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' '), maxLength: 40 });

  it('are the same wherever the bytes end at which they are looked at', () => {
    fc.assert(
      fc.property(text, fc.nat(40), (whole, cut) => {
        const [first] = recordsOf(whole, 2);
        const early = nextRecord(Buffer.from(whole).subarray(0, cut), 0, false, 2);
        if (early !== undefined) assert.deepEqual(early, first);
      }),
      { numRuns: 20_000 },
    );
  });

  it('have every byte of the file in one of them, and each of its lines', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const records = recordsOf(whole, 2);
        let [at, lines] = [0, 0];
        for (const { start, end, next, lines: own } of records) {
          assert.equal(start, at);
          assert.match(whole.slice(end, next), /^(\r?\n|\r?)$/);
          [at, lines] = [next, lines + own];
        }
        assert.equal(at, whole.length);
        assert.equal(lines, whole.replace(/\n$/, '').split('\n').length - (whole === '' ? 1 : 0));
      }),
      { numRuns: 20_000 },
    );
  });

  it('are faulty for one line at a time', () => {
    fc.assert(
      fc.property(text, (whole) => {
        for (const { start, end, fault } of recordsOf(whole, 2)) {
          if (fault !== undefined) assert.doesNotMatch(whole.slice(start, end), /\n/);
        }
      }),
      { numRuns: 20_000 },
    );
  });
});
