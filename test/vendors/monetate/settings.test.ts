import assert from 'node:assert/strict';

import { z } from 'zod';

import { monetateSettings as monetate } from '../../../config/vendors/monetate.js';

const store = {
  ...{ type: 'sftp', username: 'me', password: 'mine', root: '1234/raw_data/session_stream/' },
  hostKey: `SHA256:${'A'.repeat(43)}`,
};
const maskKey = 'a-key-of-at-least-thirty-two-bytes';
const rsa = '-----BEGIN PRIVATE KEY-----verysecret';

/** `path: rule` of everything that is wrong. */
function problems(given: object): string[] {
  const { error } = monetate.safeParse({ vendor: 'monetate', store, maskKey, ...given });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the settings of a Monetate source', () => {
  it("have the vendor's rules as defaults", () => {
    const { maskKey: key, store: server, ...others } = monetate.parse({ vendor: 'monetate', store, maskKey });
    assert.deepEqual([server.host, server.port, server.connections], ['sftp.monetate.net', 22, 4]);
    assert.deepEqual(others, {
      vendor: 'monetate',
      pollEvery: 900_000,
      giveUpAfter: 259_200_000,
      closesAfter: 45_000_000,
      settleFor: 3_600_000,
      auditFor: 604_800_000,
      quarantineLimit: 0.01,
      refusalGrace: 1_800_000,
      shrinkLimit: 0.5,
      filesInFlight: 2,
      heartbeatTimeout: 20_000,
      mask: ['customer_id', 'customer_link', 'custom_targets'].map((column) => ({
        ...{ column, path: [], treatment: 'hash' },
      })),
    });
    assert.equal(key?.reveal(), maskKey);
  });

  it('may say otherwise', () => {
    const parsed = monetate.parse({
      ...{ vendor: 'monetate', store, closesAfter: '13 hours', settleFor: '5 minutes' },
      mask: { customer_id: 'drop', customer_link: 'drop', custom_targets: 'drop', city: 'keep' },
      metadata: { account: 'acme', username: 'api-abc-acme', privateKey: rsa },
    });
    assert.deepEqual([parsed.closesAfter, parsed.settleFor], [46_800_000, 300_000]);
    assert.equal(parsed.metadata?.url, 'https://api.monetate.net/api');
    assert.equal(parsed.metadata?.refreshEvery, 86_400_000);
    assert.equal(parsed.metadata?.privateKey.reveal(), `${rsa}\n`);
    assert.ok(!JSON.stringify(parsed).includes('verysecret'));
  });

  const cases: readonly (readonly [string, object, RegExp])[] = [
    [
      'no key for what is hashed',
      { maskKey: undefined },
      /^maskKey: is missing: customer_id, customer_link, custom_targets are hashed with it\. Set it to an environment/,
    ],
    ['a short key', { maskKey: 'short' }, /^maskKey: must be at least 32 bytes long/],
    [
      'a word for a treatment',
      { mask: { city: 'redact' } },
      /^mask\.city: must be 'drop' or 'hash' or 'keep'$/,
    ],
    [
      'a root that is not the folder of the files',
      { store: { ...store, root: '' } },
      /^store\.root: must be the folder of the account's files, such as '1234\/raw_data\/session_stream\/'$/,
    ],
    [
      'a time without its unit',
      { closesAfter: '12' },
      /^closesAfter: must be a length of time with its unit/,
    ],
    [
      'a user of the API that is none',
      { metadata: { account: 'acme', username: 'ann', privateKey: rsa } },
      /^metadata\.username: must be the name of an API key's user, which begins with 'api-'$/,
    ],
    [
      'an API without its key',
      { metadata: { account: 'acme', username: 'api-a' } },
      /^metadata\.privateKey: /,
    ],
    ['a setting of another vendor', { types: ['sessions'] }, /^: /],
  ];
  for (const [title, given, problem] of cases) {
    it(`refuse ${title}`, () => {
      const found = problems(given);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] ?? '', problem);
    });
  }

  it('can be shown to editors', () => {
    const schema = z.toJSONSchema(monetate, { io: 'input', unrepresentable: 'any' });
    assert.deepEqual(Object.keys(schema.properties ?? {}).sort(), [
      ...[
        'auditFor',
        'closesAfter',
        'discoverEvery',
        'filesInFlight',
        'giveUpAfter',
        'heartbeatTimeout',
        'mask',
        'maskKey',
      ],
      ...['metadata', 'pollEvery', 'quarantineLimit', 'refusalGrace'],
      ...['schema', 'settleFor', 'shrinkLimit', 'since', 'store', 'vendor'],
    ]);
    assert.ok(
      Object.values(schema.properties ?? {}).every(
        (setting) => (setting as z.core.JSONSchema.BaseSchema).description,
      ),
    );
  });
});
