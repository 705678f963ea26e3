import assert from 'node:assert/strict';
import { createVerify, createSign, generateKeyPairSync } from 'node:crypto';

import {
  isId,
  listAddress,
  oneAddress,
  parseOne,
  parsePage,
  parseToken,
  reactionTo,
  retryAfter,
  toSign,
  tokenAddress,
} from '../../../vendors/monetate/metadata.js';
import { nameTables } from '../../../vendors/monetate/tables.js';

const api = 'https://api.monetate.net/api';
const here = listAddress(api, 'acme', 'variant');
const page = (data: unknown, meta: object = {}): string =>
  JSON.stringify({ meta: { code: 200, warnings: [], errors: [], ...meta }, data });

const variant = {
  ...{ id: 98765, account_domain: 'website.com', experience_id: 123456, experience_name: 'Banner' },
  ...{ experience_type: 'experience', split_name: 'A', split_description: '', preview_token: 'secret' },
  integration_type: 'js-tag',
};

describe("Monetate's metadata API", () => {
  it('is asked for 1,000 at a time, and for one id by itself', () => {
    const base = 'https://api.monetate.net/api/metadata/v1/acme/production/metadata';
    assert.equal(here, `${base}/variant?page_size=1000`);
    assert.equal(listAddress(`${api}/`, 'acme', 'customtarget'), `${base}/customtarget?page_size=1000`);
    assert.equal(oneAddress(api, 'acme', 'pageevent', '77'), `${base}/pageevent/77`);
    // A key of a file's is no address.
    for (const id of ['', '7/7', '../x', '7?a', 'a', '-1', '1.5', '1'.repeat(20)]) {
      assert.ok(!isId(id), id);
      assert.throws(() => oneAddress(api, 'acme', 'pageevent', id), RangeError);
    }
  });

  it('says what variants are called; ids are texts, as in sessions, and preview tokens stay out', () => {
    assert.deepEqual(parsePage('variant', here, page([variant])), {
      named: [
        {
          ...{ id: '98765', variant_name: 'A', variant_description: '', experience_id: '123456' },
          ...{ experience_name: 'Banner', experience_type: 'experience', integration_type: 'js-tag' },
          account_domain: 'website.com',
        },
      ],
    });
  });

  it('page events and custom targets', () => {
    assert.deepEqual(parseOne('pageevent', page({ id: 77, title: 'Signed up' })), {
      id: '77',
      title: 'Signed up',
    });
    const target = { id: 11, title: 'Mail', description: null, is_identifier: true };
    assert.deepEqual(parseOne('customtarget', page(target)), {
      ...{ id: '11', title: 'Mail', description: null, is_identifier: true, collects_person_id: null },
    });
  });

  it('gives what the tables of names have a column for', () => {
    for (const [kind, table] of [
      ['variant', 'variant'],
      ['pageevent', 'page_event'],
      ['customtarget', 'custom_target'],
    ] as const) {
      const columns = nameTables.find(({ name }) => name === table)?.columns.map(({ name }) => name) ?? [];
      const { id, ...others } = parseOne(kind, page({ id: 1 }));
      assert.equal(id, '1');
      assert.deepEqual(
        [...Object.keys(others), 'first_seen', 'last_seen', 'gone_at', 'asked_at'].sort(),
        columns.slice(1).sort(),
      );
    }
  });

  it('keeps ids exact beyond 2^53', () => {
    const text =
      '{"meta":{},"data":[{"id":9007199254740993,"title":"is 9007199254740993, and \\"9007199254740995\\""}]}';
    assert.deepEqual(parsePage('pageevent', here, text).named, [
      { id: '9007199254740993', title: 'is 9007199254740993, and "9007199254740995"' },
    ]);
  });

  describe('goes on at meta.next', () => {
    const cases: readonly (readonly [string, unknown, string | undefined])[] = [
      ['an address', `${here}&page=2`, `${here}&page=2`],
      ['a path', '/api/metadata/v1/acme/production/metadata/variant?page=2', `${here.split('?')[0]}?page=2`],
      ['nothing', null, undefined],
      ['an empty text', '', undefined],
      ['left out', undefined, undefined],
    ];
    for (const [title, next, expected] of cases) {
      it(title, () => assert.equal(parsePage('variant', here, page([], { next })).next, expected));
    }
  });

  describe('refuses', () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['what is no JSON', '<html>', /^It is no JSON\.$/],
      ['an answer without meta', '{"data":[]}', /^It has no meta\.$/],
      [
        'one that reports errors',
        page([], { errors: [{ detail: 'no' }] }),
        /^It reports errors: \[\{"detail":"no"\}\]/,
      ],
      ['data that is no list', page({ id: 1 }), /^Its data is no list\.$/],
      ['an entry without id', page([{ title: 'a' }]), /^An entry of its data has no id\.$/],
      [
        'a next page elsewhere',
        page([], { next: 'https://evil.example/x' }),
        /leads to https:\/\/evil\.example, where/,
      ],
      [
        'a next page in clear text',
        page([], { next: here.replace('https', 'http') }),
        /where the token does not belong/,
      ],
      ['a next page that is this one', page([], { next: here }), /^Its meta\.next leads to itself\.$/],
      ['a next page that is no address', page([], { next: 7 }), /^Its meta\.next is no address\.$/],
    ];
    for (const [title, text, message] of cases) {
      it(title, () => {
        assert.throws(() => parsePage('variant', here, text), { message });
      });
    }
  });

  it('tells by the status what is to be done', () => {
    const told = [200, 401, 403, 404, 429, 500, 502, 408, 400, 302].map(reactionTo);
    assert.deepEqual(told, [
      'use',
      'renew',
      'stop',
      'gone',
      'later',
      'later',
      'later',
      'later',
      'stop',
      'stop',
    ]);
    assert.equal(retryAfter('7', 0), 7_000);
    assert.equal(retryAfter('Fri, 20 Nov 2026 10:00:10 GMT', Date.parse('2026-11-20T10:00:00Z')), 10_000);
    assert.deepEqual([retryAfter(null, 0), retryAfter('soon', 0)], [undefined, undefined]);
  });
});

describe("Monetate's tokens", () => {
  const now = Date.parse('2026-11-20T10:00:00.900Z');

  it('are asked for with a signed JWT of the user and the second', () => {
    assert.equal(tokenAddress(`${api}/`), `${api}/auth/v0/refresh/?ttl=3600`);
    const text = toSign('api-abc-acme', now);
    const [header, claims] = text
      .split('.')
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown);
    assert.deepEqual(
      [header, claims],
      [
        { alg: 'RS256', typ: 'JWT' },
        { username: 'api-abc-acme', iat: 1795168800 },
      ],
    );
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signature = createSign('RSA-SHA256').update(text).sign(privateKey);
    assert.ok(createVerify('RSA-SHA256').update(text).verify(publicKey, signature));
  });

  it('are renewed before they end, by our clock', () => {
    const text = page({ token: '1.lM45', issued_at: 1, expires_in: 1000, expires_at: 1001 });
    assert.deepEqual(parseToken(text, now), { token: '1.lM45', renewAt: now + 900_000 });
    assert.equal(parseToken(page({ token: 't' }), now).renewAt, now + 3_240_000);
  });

  it('are not quoted when they cannot be used', () => {
    for (const data of [{}, { token: '' }, { token: 'a\nb' }, { token: 7 }, null]) {
      assert.throws(() => parseToken(page(data), now), { message: 'It has no token.' });
    }
  });
});
