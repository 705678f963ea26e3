import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';

import { secret } from '../../config/secret.js';
import { holdToken } from '../../stores/monetate-token.js';
import { failsAs, privateKeyInPkcs1, publicKey, username, withNames } from '../support/monetate-api.js';

const second = 1_000;
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;

describe("Monetate's token", () => {
  it('is asked for with a JWT that the server can verify, and held', () =>
    withNames({}, async ({ api, server }) => {
      const tokens = holdToken(api);
      const token = await tokens.take();
      assert.equal(await tokens.take(), token);
      assert.deepEqual(
        server.requests.map(({ what, url, status }) => [what, url, status]),
        [['token', '/api/auth/v0/refresh/?ttl=3600', 200]],
      );
    }));

  it('is had with a key in PKCS#1, too', () =>
    withNames({}, async ({ api }) => {
      await holdToken({ ...api, privateKey: secret(privateKeyInPkcs1) }).take();
    }));

  it('is renewed when a tenth of its time is left', () =>
    withNames({}, async ({ api, server }) => {
      let clock = Date.now();
      const tokens = holdToken(api, () => clock);
      const first = await tokens.take();
      clock += 3_239 * second;
      assert.equal(await tokens.take(), first);
      clock += second;
      // The server's clock stands still: it refuses a JWT from its future, so that it is known that one was asked for.
      await assert.rejects(tokens.take(), failsAs(server, 'AccessDenied', 'clock is 32', 'seconds ahead of'));
      clock -= 3_240 * second;
      assert.equal(await tokens.take(), first);
    }));

  it('is asked for anew when it was refused', () =>
    withNames({}, async ({ api, server }) => {
      const tokens = holdToken(api);
      const first = await tokens.take();
      tokens.drop(first);
      const next = await tokens.take();
      assert.notEqual(next, first);
      // One that was refused late, of an earlier one, changes nothing.
      tokens.drop(first);
      assert.equal(await tokens.take(), next);
      assert.equal(server.requests.length, 2);
    }));

  for (const [title, skew, word] of [
    ['behind', -90, "This machine's clock is 90 seconds behind Monetate's, which allows 60: set it right"],
    ['ahead', 90, "This machine's clock is 9"],
  ] as const) {
    it(`is not had with a clock that is ${title}; the error says so`, () => {
      const theirs = Math.floor(Date.now() / second) * second;
      return withNames({ now: () => theirs }, async ({ api, server }) => {
        const tokens = holdToken(api, () => theirs + skew * second);
        await assert.rejects(tokens.take(), failsAs(server, 'AccessDenied', 'with status 401', word));
      });
    });
  }

  it('a minute is allowed', () => {
    const theirs = Math.floor(Date.now() / second) * second;
    return withNames({ now: () => theirs }, async ({ api }) => {
      await holdToken(api, () => theirs - 60 * second).take();
      await holdToken(api, () => theirs + 60 * second).take();
    });
  });

  it('is not had by another user, or with another key: a person has to see to that', () =>
    withNames({}, async ({ api, server }) => {
      const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pkcs8);
      for (const login of [
        { ...api, username: 'api-other' },
        { ...api, privateKey: secret(other.toString()) },
      ]) {
        await assert.rejects(
          holdToken(login).take(),
          failsAs(
            server,
            'AccessDenied',
            `Asking ${api.url}/auth/v0/refresh/ for a token of ${login.username} was refused with status 401.`,
            "Check that this machine's clock is right",
            'Settings > Sites > API Keys',
            login.username,
          ),
        );
      }
    }));

  it('is not had with a key that was revoked', () =>
    withNames({}, async ({ api, server }) => {
      server.revoke();
      await assert.rejects(
        holdToken(api).take(),
        failsAs(
          server,
          'AccessDenied',
          'status 403',
          `the key of ${username} was revoked`,
          'Create Public Key',
        ),
      );
    }));

  for (const [title, key, word] of [
    ['no key', 'a key', 'cannot be read as a private key'],
    ['a public key', publicKey, 'cannot be read as a private key'],
    ['the path of its file', '/etc/monetate.pem', 'cannot be read as a private key'],
    [
      'a key of another kind',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8).toString(),
      'is a key of another kind (ec)',
    ],
    [
      'a locked key',
      generateKeyPairSync('rsa', { modulusLength: 2048 })
        .privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'p' })
        .toString(),
      'is locked with a passphrase',
    ],
  ] as const) {
    it(`is not asked for with ${title}`, () =>
      withNames({}, async ({ api, server }) => {
        await assert.rejects(holdToken({ ...api, privateKey: secret(key) }).take(), (error: Error) => {
          failsAs(
            server,
            'ConfigInvalid',
            `metadata.privateKey of ${username} ${word}.`,
            'openssl genpkey',
          )(error);
          for (const line of key.split('\n').slice(1, -2)) assert.ok(!error.message.includes(line));
          return true;
        });
        assert.deepEqual(server.requests, []);
      }));
  }

  for (const [title, fault, type, ...parts] of [
    [
      'a busy server',
      { kind: 'answer', status: 503, headers: { 'retry-after': '7' } },
      'StoreUnavailable',
      'status 503. It is retried',
    ],
    ['a page', { kind: 'answer', status: 200, body: '<html>' }, 'StoreUnavailable', '"It is no JSON"'],
    ['a place where there are none', { kind: 'answer', status: 404 }, 'ConfigInvalid', 'Check metadata.url'],
    [
      'another place',
      { kind: 'answer', status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'ConfigInvalid',
      'status 302',
      'Check metadata.url',
    ],
  ] as const) {
    it(`is not to be had from ${title}`, () =>
      withNames({}, async ({ api, server }) => {
        server.fail('token', fault);
        await assert.rejects(holdToken(api).take(), failsAs(server, type, ...parts));
        await holdToken(api).take();
      }));
  }

  it('an answer that quotes what was sent is not passed on', () =>
    withNames({}, async ({ api, server }) => {
      const errors = [{ message: 'Bad eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyIjoxfQ.c2ln' }];
      const body = JSON.stringify({ meta: { errors } });
      server.fail('token', { kind: 'answer', status: 403, body });
      await assert.rejects(holdToken(api).take(), failsAs(server, 'AccessDenied', 'Bad [secret]'));
      server.fail('token', { kind: 'answer', status: 200, body });
      await assert.rejects(holdToken(api).take(), failsAs(server, 'StoreUnavailable', 'Bad [secret]'));
    }));
});
