import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import fc from 'fast-check';

import { csvPieces } from '../../reader/csv/pieces.js';
import { inTemporaryDirectory } from '../support/isolated.js';

/** Several pieces, of rows of several lines and of faulty ones. */
const content = Buffer.from(
  `a,b\n${Array.from({ length: 250_000 }, (_, index) =>
    index % 7 === 0 ? `${index},"\n${'x'.repeat(100)}"\n` : index % 5 === 0 ? '"x\n\n' : `${index},x\n`,
  ).join('')}`,
);

describe('the pieces of a CSV file', function () {
  this.timeout(60_000);

  const cut = (chunks: readonly Buffer[]): Promise<string[]> =>
    inTemporaryDirectory(async (folder) => {
      const pieces: string[] = [];
      const bytes = (async function* () {
        await Promise.resolve();
        yield* chunks;
      })();
      const reader = { header: () => 2, cutOff: () => assert.fail('it is whole') };
      for await (const piece of csvPieces(bytes, reader, folder, new AbortController().signal)) {
        const { path, size, whole, faults } = piece;
        assert.equal((await readFile(path)).length, size);
        const found = [...piece.records()];
        assert.equal(found.length, whole + faults.size);
        pieces.push(`${whole} rows and ${faults.size} faults in ${size} bytes from line ${found[0]?.[0]}`);
      }
      return pieces;
    });

  it('are the same however the bytes arrive, since the bad rows of a piece are looked for in a second pass', async () => {
    const whole = await cut([content]);
    assert.ok(whole.length > 2, String(whole.length));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(content.length), { maxLength: 40 }), async (ends) => {
        const places = [0, ...ends.sort((a, b) => a - b), content.length];
        const chunks = places.slice(1).map((end, index) => content.subarray(places[index], end));
        assert.deepEqual(await cut(chunks), whole);
      }),
      { numRuns: 5 },
    );
  });
});
