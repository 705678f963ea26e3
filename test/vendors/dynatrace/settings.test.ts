import assert from 'node:assert/strict';

import { z } from 'zod';

import { receiverSettings } from '../../../config/receiver.js';
import { dynatraceSettings as dynatrace } from '../../../config/vendors/dynatrace.js';

const auth = { basic: { username: 'dynatrace', password: 'verysecret' } };
const maskKey = 'a-key-of-at-least-thirty-two-bytes';

/** `path: rule` of everything that is wrong. */
function problems(given: object): string[] {
  const { error } = dynatrace.safeParse({ vendor: 'dynatrace', auth, ...given });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the settings of a Dynatrace source', () => {
  it('have usual values, and mask nothing unless told to', () => {
    const { auth: given, ...others } = dynatrace.parse({ vendor: 'dynatrace', auth });
    assert.equal(given.basic?.password.reveal(), 'verysecret');
    assert.deepEqual(others, {
      ...{ vendor: 'dynatrace', gatherBytes: 32_000_000, gatherWithin: 10_000, keepInbox: 604_800_000 },
      ...{
        quarantineLimit: 1,
        refusalGrace: 1_800_000,
        shrinkLimit: 0.5,
        filesInFlight: 2,
        heartbeatTimeout: 20_000,
        mask: [],
      },
    });
  });

  it('may say otherwise, and hold no secret that could be printed', () => {
    const parsed = dynatrace.parse({
      ...{
        vendor: 'dynatrace',
        auth: { ...auth, bearer: 'c2VjcmV0==' },
        keepInbox: '0',
        gatherBytes: '1 MiB',
      },
      ...{ gatherWithin: '2s', quarantineLimit: '5%' },
    });
    assert.deepEqual([parsed.keepInbox, parsed.gatherBytes, parsed.gatherWithin], [0, 1_048_576, 2_000]);
    assert.equal(parsed.auth.bearer?.reveal(), 'c2VjcmV0==');
    assert.ok(!/verysecret|c2VjcmV0/.test(JSON.stringify(parsed)));
  });

  const cases: readonly (readonly [string, object, RegExp])[] = [
    [
      'nothing to log in with',
      { auth: {} },
      /^auth: must have basic, bearer or both: without them anybody could send$/,
    ],
    ['a user without a password', { auth: { basic: { username: 'a' } } }, /^auth\.basic\.password: /],
    [
      'a token that no header can hold',
      { auth: { bearer: 'two words' } },
      /^auth\.bearer: must be a token: /,
    ],
    [
      'a size without its unit',
      { gatherBytes: '32' },
      /^gatherBytes: must be a number of bytes with its unit/,
    ],
    [
      'a time without its unit',
      { keepInbox: '7' },
      /^keepInbox: must be a length of time with its unit, .* or 0$/,
    ],
    ['a store, for it has none', { store: { type: 's3' } }, /^: .*store/],
    ['a setting of waiting, for nothing is waited for', { pollEvery: '1 hour' }, /^: .*pollEvery/],
  ];
  for (const [title, given, problem] of cases) {
    it(`refuse ${title}`, () => {
      const found = problems(given);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] ?? '', problem);
    });
  }

  describe('of personal data', () => {
    const accepted: readonly (readonly [rule: string, word: string])[] = [
      ['ip', 'hash'],
      ['ip', 'drop'],
      ['user_id', 'hash'],
      ['internal_user_id', 'hash'],
      ['user_event:name', 'hash'],
      ['user_action:name', 'hash'],
      ['target_url', 'drop'],
      // Rows are found by them, and those who hash them find them by their hashes.
      ['tenant_id', 'hash'],
      ['session_property:value', 'hash'],
      ['session_property:value.email', 'drop'],
      ['session_property:long_value', 'drop'],
      ['session_property:date_value', 'drop'],
      ['user_action:string_properties', 'hash'],
      ['user_action:string_properties.*.value', 'drop'],
      ['_extra.email', 'drop'],
    ];
    for (const [rule, word] of accepted) {
      it(`${rule} may be ${word === 'hash' ? 'hashed' : 'dropped'}`, () => {
        assert.deepEqual(problems({ mask: { [rule]: word }, maskKey }), []);
      });
    }

    const refused: readonly (readonly [rule: string, word: string, RegExp])[] = [
      ['user_session_id', 'drop', /must not be 'drop': user_session:user_session_id is of the key/],
      ['user_action:start_time', 'drop', /must not be 'drop': user_action:start_time is of the key/],
      [
        'user_action:action_start_time',
        'hash',
        /must be 'drop' or 'keep': .* is timestamptz, and a hash is a text/,
      ],
      ['session_property:long_value', 'hash', /must be 'drop' or 'keep': .* is bigint, and a hash is a text/],
      ['userId', 'hash', /is of a column that no table has; did you mean 'user_id'\?/],
      ['user_actions:name', 'hash', /is of a table that there is not; did you mean 'user_action'\?/],
    ];
    for (const [rule, word, problem] of refused) {
      it(`${rule}: ${word} is refused`, () => {
        const [found = '', ...more] = problems({ mask: { [rule]: word }, maskKey });
        assert.deepEqual(more, []);
        assert.match(found, problem);
      });
    }

    it('hashes want their key', () => {
      assert.match(problems({ mask: { ip: 'hash' } })[0] ?? '', /^maskKey: is missing: ip is hashed with it/);
    });
  });

  it('can be shown to editors', () => {
    for (const shown of [dynatrace, receiverSettings]) {
      const schema = z.toJSONSchema(shown, { io: 'input', unrepresentable: 'any' });
      assert.ok(
        Object.values(schema.properties ?? {}).every(
          (setting) => (setting as z.core.JSONSchema.BaseSchema).description,
        ),
      );
    }
  });
});
