import assert from 'node:assert/strict';

import fc from 'fast-check';

import { printable } from '../../model/printable.js';

describe('text from outside that is printed', () => {
  for (const [what, text, shown] of [
    ['an escape sequence', 'a\u001b[31mred', 'a\\u001b[31mred'],
    ['a C1 control', 'a\u009b31m', 'a\\u009b31m'],
    ['a carriage return', 'good\rbad', 'good\\u000dbad'],
    ['DEL and NUL', '\u007f\u0000', '\\u007f\\u0000'],
    ['a bidirectional override', 'a\u202eb', 'a\\u202eb'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
  ] as const) {
    it(`has ${what} as its code`, () => {
      assert.equal(printable(text), shown);
    });
  }

  it('keeps line feeds, tabs and all other letters', () => {
    const text = 'Zeile\n\tTabelle: ä, 漢, 😀';
    assert.equal(printable(text), text);
  });

  it('means the same in JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.deepEqual(JSON.parse(printable(JSON.stringify([text]))), [text]);
      }),
    );
  });

  it('never holds a control character', () => {
    const controls = /[^\P{Cc}\n\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(printable(text), controls);
      }),
    );
  });
});
