import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import fc from 'fast-check';

import { inPieces } from '../../reader/pieces.js';
import { inTemporaryDirectory } from '../support/isolated.js';

/** Enough lines for several pieces, blank ones among them. */
const lines = Buffer.from(
  Array.from({ length: 500_000 }, (_, index) => (index % 7 === 0 ? '\n' : `${index % 1000}\n`)).join(''),
);

describe('the pieces of a file', function () {
  this.timeout(60_000);

  const cut = (chunks: readonly Buffer[]): Promise<string[]> =>
    inTemporaryDirectory(async (folder) => {
      const pieces: string[] = [];
      const bytes = (async function* () {
        await Promise.resolve();
        yield* chunks;
      })();
      for await (const { path, before, rows, unended } of inPieces(
        bytes,
        folder,
        new AbortController().signal,
      )) {
        const text = await readFile(path);
        const ends = text.filter((byte) => byte === 0x0a).length;
        pieces.push(`${rows} rows in ${ends} lines after ${before}${unended ? ', unended' : ''}`);
      }
      return pieces;
    });

  it('are the same however the bytes arrive, since the bad rows of a piece are looked for in a second pass', async () => {
    const whole = await cut([lines]);
    assert.equal(whole.length, 4);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(lines.length), { maxLength: 40 }), async (ends) => {
        const at = [0, ...ends.sort((a, b) => a - b), lines.length];
        const chunks = at.slice(1).map((end, index) => lines.subarray(at[index], end));
        assert.deepEqual(await cut(chunks), whole);
      }),
      { numRuns: 20 },
    );
  });

  it('end where a line ends, and the last of them as the file does', async () => {
    const pieces = await cut([lines, Buffer.from('x')]);
    assert.match(pieces.at(-1) ?? '', /, unended$/);
    assert.ok(pieces.slice(0, -1).every((piece) => !piece.endsWith('unended')));
  });
});
