import assert from 'node:assert/strict';

import fc from 'fast-check';

import { nameBatch, parseBatch } from '../../../vendors/dynatrace/layout.js';
import { dynatrace } from '../../../vendors/dynatrace/vendor.js';

describe('the names of batches', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['2026-11-20/1042', '2026-11-20'],
    ['2024-02-29/1', '2024-02-29'],
    ['2026-11-20/9223372036854775807', '2026-11-20'],
    // Postgres has no such number.
    ['2026-11-20/9223372036854775808', undefined],
    ['2026-11-20/99999999999999999999', undefined],
    ['2026-11-20/0', undefined],
    // One batch, one name.
    ['2026-11-20/01042', undefined],
    ['2026-11-20/-1', undefined],
    ['2026-11-20/1042.ndjson', undefined],
    ['2026-11-20/1042/', undefined],
    ['2026-11-20/', undefined],
    ['2026-11-20', undefined],
    ['2026-11-31/1042', undefined],
    ['2026-13-01/1042', undefined],
    ['rum/2026-11-20/1042', undefined],
    [' 2026-11-20/1042', undefined],
    ['2026-11-20/1042\n', undefined],
    ['', undefined],
  ];
  for (const [name, day] of cases) {
    it(`${JSON.stringify(name)}: ${day ?? 'none'}`, () => assert.equal(parseBatch(name), day));
  }

  const days = fc
    .integer({ min: 0, max: 40_000 })
    .map((number) => new Date(number * 86_400_000).toISOString().slice(0, 10));

  it('tell the day that they were made of', () => {
    fc.assert(
      fc.property(days, fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), (day, body) => {
        assert.equal(parseBatch(nameBatch(day, String(body))), day);
      }),
    );
  });

  it('are the only ones: whatever has a day is made of that day and a number', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(days, fc.string()).map((parts) => parts.join('/')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const day = parseBatch(text);
        if (day !== undefined) assert.equal(nameBatch(day, String(BigInt(text.slice(11)))), text);
      }),
    );
  });

  it('have an example', () => {
    assert.ok(dynatrace.deliveries.are === 'batches');
    assert.equal(dynatrace.deliveries.dayOf(dynatrace.exampleName), '2026-11-20');
  });
});

describe('a look at a batch', () => {
  const delivery = { id: 'rum/2026-11-20/1042', source: 'rum', type: 'sessions', date: '2026-11-20' };
  const at = { now: 0, pollEvery: 60_000 };
  const file = { key: '2026-11-20/1042.ndjson', version: 'a1', size: 10, modified: 0 };

  it('sees its one file, and needs no other page', () => {
    const look = dynatrace.look(delivery, at);
    assert.equal(look.see({ files: [], folders: [] }), false);
    assert.equal(look.see({ files: [file], folders: [] }), true);
    assert.deepEqual(look.sighting(new Map(), 0), {
      ...{ awaited: 'its bodies in the inbox', marker: { key: file.key, version: 'a1' } },
    });
  });

  it('sees none where its bodies were deleted', () => {
    const look = dynatrace.look(delivery, at);
    look.see({ files: [], folders: [] });
    assert.deepEqual(look.sighting(new Map(), 0), { awaited: 'its bodies in the inbox' });
  });

  it('has nothing to read first, and every file is a part', () => {
    assert.deepEqual(dynatrace.look(delivery, at).toRead(), []);
    const sorting = dynatrace.sorting(delivery, { take: 'listed', read: new Map() });
    assert.deepEqual(sorting.sort(file), { kind: 'part', partitionValue: null });
  });
});
