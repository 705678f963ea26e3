import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import fc from 'fast-check';

import { parseConfig } from '../../config/load.js';
import { secret } from '../../config/secret.js';
import { example, exampleEnv } from './example.js';

/** Long enough not to occur by chance in a message. */
const secretValue = fc.string({ minLength: 12, maxLength: 40 }).filter((text) => text.trim().length >= 12);

/** Everything that an error or a configuration could be printed as. */
function prints(value: unknown): string {
  const error = value instanceof Error ? [value.message, value.stack, String(value)] : [];
  return [
    ...error,
    JSON.stringify(value),
    inspect(value, { depth: 20 }),
    inspect(value, { depth: 20, customInspect: false, showHidden: true }),
  ].join('\n');
}

/** Where secrets stand, and places where somebody may put one by mistake. */
const places = [
  'postgres: { url: @ }',
  'postgres: @',
  'postgress: @',
  'temporal: { taskQueue: [@] }',
  'worker: { readers: @ }',
  'metrics: { otel: { url: @, headers: { authorization: @ } } }',
  'metrics: { otel: { url: "http://127.0.0.1:4317", headers: { authorization: @ } } }',
  'sources: { a: { vendor: @ } }',
  'sources: { a: @ }',
  'sources: { a: { vendor: optimizely, store: @ } }',
  'sources: { a: { vendor: optimizely, schema: @, types: [@], pollEvery: @, quarantineLimit: @, since: @, store: {} } }',
  'sources: { a: { vendor: optimizely, store: { type: s3, secretAccesKey: @, accessKeyId: @ } } }',
  'sources: { a: { vendor: optimizely, store: { type: s3, credentials: { optimizelyToken: @ }, secretAccessKey: @ } } }',
  'sources: { a: { vendor: optimizely, schema: @, store: {} }, b: { vendor: optimizely, schema: @, store: {} } }',
  'sources: { a: { vendor: optimizely, store: { type: s3, bucket: b, prefix: v/, endpoint: @, region: @ } } }',
  'sources: { a: { vendor: megaphone, types: [@], settleFor: @, auditFor: @, closesAfter: @, store: { type: s3, bucket: @ } } }',
  'sources: { a: { vendor: megaphone, store: { type: s3, bucket: b, prefix: @, accessKeyId: @ } } }',
  'sources: { a: { vendor: leanplum, api: @, store: { type: s3, bucket: b } } }',
  'sources: { a: { vendor: leanplum, api: { appId: [@], clientKey: @, url: @, copyToStore: @ }, store: { type: s3 } } }',
  'sources: { a: { vendor: monetate, store: { type: sftp, username: @, password: @, privateKey: @, hostKey: @ } } }',
  'sources: { a: { vendor: monetate, store: { type: sftp, host: @, port: @, passphrase: @, root: @ }, maskKey: @ } }',
  'sources: { a: { vendor: monetate, store: @, mask: { @: @ }, metadata: { account: @, username: @, privateKey: @ } } }',
  'sources: { a: { vendor: megaphone, mask: { ip: @, @: hash }, maskKey: @, store: { type: s3, bucket: b } } }',
  'sources: { a: { vendor: megaphone, mask: @, maskKey: [@], store: { type: s3, bucket: b } } }',
  'postgres: { url: @ }\n\tsources: "',
];

describe('secrets', () => {
  it('are printed as [secret] and given to those who ask', () => {
    const value = secret('hunter2');
    assert.equal(String(value), '[secret]');
    assert.equal(JSON.stringify({ value }), '{"value":"[secret]"}');
    assert.equal(inspect({ value }), '{ value: [secret] }');
    assert.equal(value.reveal(), 'hunter2');
  });

  it('do not show when a configuration is printed', () => {
    fc.assert(
      fc.property(secretValue, secretValue, secretValue, (url, key, token) => {
        const env = { DATABASE_URL: url, K: key, S: token };
        const config = parseConfig({ text: example, name: 'landfall.yaml', path: '/landfall.yaml', env });
        const printed = prints(config);
        for (const value of [url, key, token]) assert(!printed.includes(value));
      }),
    );
  });

  it('do not show in any error when they came from the environment, wherever they were put', () => {
    fc.assert(
      fc.property(fc.constantFrom(...places), secretValue, (place, value) => {
        const text = place.replaceAll('@', '${HIDDEN}');
        try {
          parseConfig({ text, name: 'landfall.yaml', path: '/landfall.yaml', env: { HIDDEN: value } });
        } catch (error) {
          const printed = prints(error);
          assert(!printed.includes(value), printed);
          assert(!printed.includes(JSON.stringify(value).slice(1, -1)), printed);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('do not show in any error when they stand in the file where secrets belong', () => {
    const written = fc.stringMatching(/^[A-Za-z0-9+=_-]{12,40}$/);
    const texts = [
      'postgres: { url: "@", more: 1 }',
      'postgres: { url: ["@"] }',
      'postgres: { url: { password: "@" } }',
      'sources: { a: { vendor: optimizely, store: { type: s3, accessKeyId: "@", secretAccessKey: ["@"] } } }',
      'sources: { a: { vendor: optimizely, store: { type: s3, sessionToken: "@", credentials: { optimizelyToken: "@" } } } }',
      'sources: { a: { vendor: megaphone, store: { type: s3, accessKeyId: "@", secretAccessKey: ["@"], sessionToken: "@" } } }',
      'sources: { a: { vendor: leanplum, api: { clientKey: ["@"], copyToStore: { accessKeyId: ["@"], secretAccessKey: { x: "@" } } } } }',
      'sources: { a: { vendor: megaphone, mask: { ip: hash, nobody: drop }, maskKey: "@", store: { type: s3, bucket: b } } }',
      'sources: { a: { vendor: optimizely, mask: { user_ip: hash }, maskKey: ["@"], store: { type: s3 } } }',
      'metrics: { otel: { url: 5, headers: { authorization: ["@"] } } }',
      'postgres: { url: "@"',
      'postgres: { url: "\\@" }',
      'postgres:\n  url: @: @\n',
      'postgres: { url: *@ }',
      'postgres: { url: !@ x }',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...texts), written, (text, value) => {
        try {
          parseConfig({ text: text.replaceAll('@', value), name: 'landfall.yaml', path: '/l.yaml', env: {} });
        } catch (error) {
          const printed = prints(error);
          assert(!printed.includes(value), printed);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are not needed for the others to be read', () => {
    const config = parseConfig({ text: example, name: 'landfall.yaml', path: '/l.yaml', env: exampleEnv });
    assert.match(JSON.stringify(config), /"bucket":"b"/);
  });
});
