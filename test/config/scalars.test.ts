import assert from 'node:assert/strict';

import fc from 'fast-check';

import { parseDuration, writeDuration } from '../../config/duration.js';
import { parseFraction } from '../../config/fraction.js';
import { suggest } from '../../model/suggest.js';

describe('a length of time', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['15 minutes', 900_000],
    ['3 days', 259_200_000],
    ['90s', 90_000],
    ['1h 30m', 5_400_000],
    ['1.5 hours', 5_400_000],
    ['1 Week', 604_800_000],
    [' 250 ms ', 250],
    ['15', undefined],
    ['', undefined],
    ['-1 day', undefined],
    ['0 s', undefined],
    ['1 fortnight', undefined],
    ['1 constructor', undefined],
    ['99999999999999 weeks', undefined],
  ];
  for (const [text, milliseconds] of cases) {
    it(`'${text}' is ${milliseconds === undefined ? 'none' : `${milliseconds} ms`}`, () => {
      assert.equal(parseDuration(text), milliseconds);
    });
  }

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 12 }), (milliseconds) => {
        assert.equal(parseDuration(writeDuration(milliseconds)), milliseconds);
      }),
    );
  });

  it('is written in its longest unit', () => {
    assert.equal(writeDuration(900_000), '15 minutes');
    assert.equal(writeDuration(86_400_000), '1 day');
    assert.equal(writeDuration(90_000), '90 seconds');
    assert.equal(writeDuration(1_500), '1500 ms');
  });
});

describe('a share', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['1%', 0.01],
    ['0.5 %', 0.005],
    ['100%', 1],
    ['0%', 0],
    ['0.01', 0.01],
    ['.25', 0.25],
    ['0', 0],
    ['1', undefined],
    ['1.5', undefined],
    ['150%', undefined],
    ['-1%', undefined],
    ['some', undefined],
  ];
  for (const [text, fraction] of cases) {
    it(`'${text}' is ${fraction ?? 'none'}`, () => {
      assert.equal(parseFraction(text), fraction);
    });
  }
});

describe('what was meant', () => {
  const known = ['pollEvery', 'giveUpAfter', 'quarantineLimit', 'store', 'schema'];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['pollevery', 'pollEvery'],
    ['poll_every', 'pollEvery'],
    ['pollEvry', 'pollEvery'],
    ['quarantineLimits', 'quarantineLimit'],
    ['shcema', 'schema'],
    ['stroe', 'store'],
    ['colour', undefined],
    ['x', undefined],
  ];
  for (const [word, meant] of cases) {
    it(`'${word}': ${meant ?? 'nothing'}`, () => {
      assert.equal(suggest(word, known), meant);
    });
  }
});
