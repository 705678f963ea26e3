import assert from 'node:assert/strict';
import { timingSafeEqual } from 'node:crypto';

import fc from 'fast-check';

import { secret } from '../../config/secret.js';
import { credentials, type SourceAuth } from '../../receiver/credentials.js';

const both: SourceAuth = {
  basic: { username: 'dynatrace', password: secret('pass:wörd') },
  bearer: secret('token'),
};
const encode = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('credentials', () => {
  it('are right by user and password, or by token', () => {
    const { check } = credentials(both);
    assert.equal(check(encode('dynatrace:pass:wörd')), true);
    assert.equal(check('Bearer token'), true);
    assert.equal(check(encode('dynatrace:pass')), false);
    assert.equal(check(encode('token:token')), false);
    assert.equal(check(undefined), false);
  });

  it('are wrong by what is not configured, also where that is given as nothing', () => {
    const user = credentials({ basic: both.basic });
    const token = credentials({ bearer: both.bearer });
    for (const header of ['Bearer ', 'Bearer', 'Bearer undefined']) assert.equal(user.check(header), false);
    for (const header of ['Basic ', 'Basic Og==', encode('undefined:undefined')])
      assert.equal(token.check(header), false);
    assert.deepEqual(user.challenges, ['Basic realm="landfall", charset="UTF-8"']);
    assert.deepEqual(token.challenges, ['Bearer realm="landfall"']);
  });

  it('are compared as often, and over as many bytes, whatever is given', () => {
    const header = fc.oneof(
      fc.constant(undefined),
      fc.string({ maxLength: 200 }),
      fc.string({ maxLength: 50 }).map(encode),
      fc.constantFrom('dynatrace:', 'dynatrace:p', 'dynatrace:pass:wörd', ':pass:wörd').map(encode),
      fc.constantFrom('Bearer t', 'Bearer token', 'Bearer tokens', 'Basic', 'Bearer'),
    );
    for (const auth of [both, { basic: both.basic }, { bearer: both.bearer }]) {
      fc.assert(
        fc.property(header, (given) => {
          const compared: number[] = [];
          const { check } = credentials(auth, (a, b) => {
            compared.push(a.byteLength, b.byteLength);
            return timingSafeEqual(a, b);
          });
          check(given);
          assert.deepEqual(compared, [32, 32, 32, 32, 32, 32]);
        }),
      );
    }
  });

  it('are never shown', () => {
    assert.doesNotMatch(JSON.stringify(credentials(both)), /wörd|token/);
  });
});
