import assert from 'node:assert/strict';

import { z } from 'zod';

import { leanplumSettings } from '../../../config/vendors/leanplum.js';

const store = { type: 's3', bucket: 'b' };

/** `path: rule` of everything that is wrong. */
function problems(settings: object): string[] {
  const { error } = leanplumSettings.safeParse({ vendor: 'leanplum', store, ...settings });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the settings of a Leanplum source', () => {
  it("have the vendor's rules as defaults", () => {
    assert.deepEqual(leanplumSettings.parse({ vendor: 'leanplum', store }), {
      vendor: 'leanplum',
      store: { type: 's3', bucket: 'b', prefix: '', region: 'us-east-1', forcePathStyle: false },
      pollEvery: 900_000,
      giveUpAfter: 259_200_000,
      discardAfter: 86_400_000,
      uploadGrace: 7_200_000,
      deleteDiscarded: false,
      quarantineLimit: 0.01,
      refusalGrace: 1_800_000,
      shrinkLimit: 0.5,
      auditFor: 604_800_000,
      filesInFlight: 2,
      heartbeatTimeout: 20_000,
      mask: [],
    });
  });

  it('may say otherwise', () => {
    const parsed = leanplumSettings.parse({
      vendor: 'leanplum',
      store: { ...store, prefix: 'exports/leanplum/' },
      discardAfter: '36 hours',
      uploadGrace: '30 minutes',
      deleteDiscarded: true,
      api: {
        appId: 'app_1',
        clientKey: 'exp_verysecret',
        copyToStore: { accessKeyId: 'AKIA_verysecret', secretAccessKey: 'key_verysecret' },
      },
    });
    assert.equal(parsed.store.prefix, 'exports/leanplum/');
    assert.deepEqual([parsed.discardAfter, parsed.uploadGrace], [129_600_000, 1_800_000]);
    assert.equal(parsed.deleteDiscarded, true);
    assert.equal(parsed.api?.url, 'https://api.leanplum.com/api');
    assert.equal(parsed.api?.clientKey.reveal(), 'exp_verysecret');
    assert.equal(parsed.api.copyToStore?.secretAccessKey.reveal(), 'key_verysecret');
    assert.ok(!JSON.stringify(parsed).includes('verysecret'));
  });

  const cases: readonly (readonly [string, object, RegExp])[] = [
    ['no bucket', { store: { type: 's3' } }, /^store\.bucket: /],
    [
      'a prefix without its slash',
      { store: { ...store, prefix: 'a' } },
      /^store\.prefix: must be empty, or end with '\/'/,
    ],
    ['a key alone', { store: { ...store, accessKeyId: 'K' } }, /^store\.secretAccessKey: is missing/],
    [
      'a time without its unit',
      { discardAfter: '24' },
      /^discardAfter: must be a length of time with its unit/,
    ],
    ['no time at all', { uploadGrace: '0 hours' }, /^uploadGrace: must be a length of time/],
    ['a word for a switch', { deleteDiscarded: 'yes' }, /^deleteDiscarded: must be true or false$/],
    ['an API without its key', { api: { appId: 'a' } }, /^api\.clientKey: /],
    [
      'a key to copy with alone',
      { api: { appId: 'a', clientKey: 'k', copyToStore: { accessKeyId: 'K' } } },
      /^api\.copyToStore\.secretAccessKey: /,
    ],
    ['a setting of another vendor', { types: ['sessions'] }, /^: /],
  ];
  for (const [title, settings, problem] of cases) {
    it(`refuse ${title}`, () => {
      const found = problems(settings);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] ?? '', problem);
    });
  }

  it('can be shown to editors', () => {
    const schema = z.toJSONSchema(leanplumSettings, { io: 'input', unrepresentable: 'any' });
    assert.deepEqual(Object.keys(schema.properties ?? {}).sort(), [
      ...[
        'api',
        'auditFor',
        'deleteDiscarded',
        'discardAfter',
        'discoverEvery',
        'filesInFlight',
        'giveUpAfter',
      ],
      ...[
        'heartbeatTimeout',
        'mask',
        'maskKey',
        'pollEvery',
        'quarantineLimit',
        'refusalGrace',
        'schema',
        'shrinkLimit',
        'since',
        'store',
        'uploadGrace',
        'vendor',
      ],
    ]);
    assert.ok(
      Object.values(schema.properties ?? {}).every(
        (setting) => (setting as z.core.JSONSchema.BaseSchema).description,
      ),
    );
  });
});
