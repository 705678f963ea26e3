import assert from 'node:assert/strict';

import { mask, missingKey } from '../../config/mask.js';
import type { MaskRule, Treatment } from '../../config/mask-rules.js';
import { secret } from '../../config/secret.js';
import { fateOf, fateWithin } from '../../reader/masks/fates.js';

const rules = (given: Record<string, Treatment>, usual?: Record<string, Treatment>): readonly MaskRule[] =>
  mask(usual).parse(given);

function treatmentOf(
  given: readonly MaskRule[],
  table: string,
  column: string,
  path: readonly string[] = [],
): Treatment {
  return path.reduce(fateWithin, fateOf(given, table, column)).treatment;
}

describe('mask', () => {
  it('names columns of every table or of one, and keys below jsonb columns', () => {
    assert.deepEqual(rules({ customer_id: 'drop' }), [
      { column: 'customer_id', path: [], treatment: 'drop' },
    ]);
    assert.deepEqual(rules({ 'event:value': 'hash' }), [
      { table: 'event', column: 'value', path: [], treatment: 'hash' },
    ]);
    assert.deepEqual(rules({ 'custom_targets.*.mail': 'keep' })[0]?.path, ['*', 'mail']);
    // Keys with dots and spaces stand in quotes.
    assert.deepEqual(rules({ 'value."e.mail of you"': 'keep' })[0]?.path, ['e.mail of you']);
  });

  for (const name of ['', 'a b', '1a', 'a.', 'a..b', '.a', 'a:b:c', 'a."b', 'a:b.c d']) {
    it(`refuses '${name}'`, () => {
      const { error } = mask().safeParse({ [name]: 'drop' });
      assert.match(error?.issues[0]?.message ?? '', /^must name a column, such as 'customer_id'/);
    });
  }

  it('refuses words that it does not know', () => {
    const { error } = mask().safeParse({ customer_id: 'redact' });
    assert.equal(error?.issues[0]?.message, "must be 'drop' or 'hash' or 'keep'");
  });

  describe('says of a value what the most particular rule says', () => {
    const some = rules({
      mail: 'hash',
      'event:mail': 'keep',
      targets: 'hash',
      'targets.*.name': 'drop',
      'targets.7': 'keep',
      'targets.7.name': 'hash',
    });
    const cases: readonly (readonly [string, string, readonly string[], Treatment])[] = [
      ['session', 'mail', [], 'hash'],
      ['event', 'mail', [], 'keep'],
      ['session', 'city', [], 'keep'],
      ['session', 'targets', [], 'hash'],
      ['session', 'targets', ['8'], 'hash'],
      ['session', 'targets', ['8', 'deep', 'down'], 'hash'],
      ['session', 'targets', ['8', 'name'], 'drop'],
      ['session', 'targets', ['7'], 'keep'],
      ['session', 'targets', ['7', 'city'], 'keep'],
      ['session', 'targets', ['7', 'name'], 'hash'],
    ];
    for (const [table, column, path, expected] of cases) {
      it(`${[`${table}:${column}`, ...path].join('.')}: ${expected}`, () => {
        assert.equal(treatmentOf(some, table, column, path), expected);
      });
    }

    it("and a source's word goes before its vendor's", () => {
      assert.equal(treatmentOf(rules({ mail: 'keep' }, { mail: 'hash', name: 'drop' }), 's', 'mail'), 'keep');
      assert.equal(treatmentOf(rules({ mail: 'keep' }, { mail: 'hash', name: 'drop' }), 's', 'name'), 'drop');
    });
  });

  it('needs a key to hash with, and says for what', () => {
    const some = rules({ customer_id: 'hash', 'event:value."a b"': 'hash', city: 'drop' });
    assert.equal(
      missingKey({ mask: some }),
      'is missing: event:value."a b", customer_id are hashed with it. Set it to an environment variable, or say drop or ' +
        'keep for each of them in mask',
    );
    assert.equal(missingKey({ mask: some, maskKey: secret('k') }), undefined);
    assert.equal(missingKey({ mask: rules({ city: 'drop' }) }), undefined);
  });
});
