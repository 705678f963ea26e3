import assert from 'node:assert/strict';

import type { Failure } from '../../model/failure.js';
import type { NameKind } from '../../model/names.js';
import { variants } from '../../sandbox/monetate/names.js';
import { openNames, type NamesApi } from '../../stores/monetate-api.js';
import type { Named } from '../../vendors/monetate/metadata.js';
import { failsAs, madeVariants, username, withNames } from '../support/monetate-api.js';

async function all(names: NamesApi, kind: NameKind): Promise<readonly Named[]> {
  const found: Named[] = [];
  let next: string | undefined;
  do {
    const page = await names.page(kind, next);
    found.push(...page.named);
    next = page.next;
  } while (next !== undefined);
  return found;
}

describe("names from Monetate's metadata API", () => {
  it('come in pages of 1,000, by what each page says of the next', () =>
    withNames({ names: madeVariants(2_500) }, async ({ api, server }) => {
      const named = await all(openNames(api), 'variant');
      assert.deepEqual(
        named.map(({ id }) => id),
        Array.from({ length: 2_500 }, (_, index) => String(index + 1)),
      );
      assert.deepEqual(
        server.requests.map(({ url }) => url.replace(/.*metadata/, '')),
        [
          '/api/auth/v0/refresh/?ttl=3600',
          ...['/variant?page_size=1000', '/variant?page_size=1000&page=2', '/variant?page_size=1000&page=3'],
        ],
      );
      assert.equal(server.atOnce(), 1);
    }));

  it('are those of every kind', () =>
    withNames({}, async ({ api }) => {
      const names = openNames(api);
      const [first] = await all(names, 'variant');
      assert.deepEqual(first, {
        ...{ id: '100001', variant_name: 'Control', variant_description: 'As it was', experience_id: '5001' },
        ...{ experience_name: 'Free shipping banner', experience_type: 'experience' },
        ...{ integration_type: 'js-tag', account_domain: 'www.example.com' },
      });
      assert.equal((await all(names, 'variant')).length, variants.length);
      assert.deepEqual((await all(names, 'pageevent'))[0], { id: '200001', title: 'Signed up' });
      assert.deepEqual((await all(names, 'customtarget'))[3], {
        ...{ id: '300004', title: 'Mail address', description: 'For the newsletter' },
        ...{ is_identifier: true, collects_person_id: true },
      });
    }));

  it('are had of one id, exactly, and not of one that is gone', () => {
    const id = '9007199254740993';
    const names = { variant: [], pageevent: [{ id, title: 'Beyond 2^53' }], customtarget: [] };
    return withNames({ names }, async ({ api }) => {
      const open = openNames(api);
      assert.deepEqual(await open.one('pageevent', id), { id, title: 'Beyond 2^53' });
      assert.equal(await open.one('pageevent', '9007199254740992'), undefined);
      await assert.rejects(open.one('pageevent', '../token'), RangeError);
    });
  });

  it('a token that is refused is exchanged once, without a word', () =>
    withNames({}, async ({ api, server }) => {
      const names = openNames(api);
      await names.page('pageevent');
      server.expireTokens();
      await names.page('pageevent');
      await names.page('pageevent');
      assert.deepEqual(
        server.requests.map(({ what, status }) => `${what} ${status}`),
        [...['token 200', 'pageevent 200', 'pageevent 401', 'token 200', 'pageevent 200', 'pageevent 200']],
      );
    }));

  it('a new token that is refused as well is for a person to mend', () =>
    withNames({}, async ({ api, server }) => {
      server.fail('variant', { kind: 'answer', status: 401 }, 2);
      await assert.rejects(
        openNames(api).page('variant'),
        failsAs(server, 'AccessDenied', '401, and again with a new token', 'read account acme', username),
      );
      assert.equal(server.requests.length, 4);
    }));

  it('nobody asks again with a key that was revoked', () =>
    withNames({}, async ({ api, server }) => {
      const names = openNames(api);
      await names.page('variant');
      server.revoke();
      await assert.rejects(
        names.one('variant', '100001'),
        failsAs(
          server,
          'AccessDenied',
          `/variant/100001 for its name was refused with status 403, saying "[{"message":"Forbidden"}]": the key of ${username} was revoked`,
          'Settings > Sites > API Keys',
          'restart the workers',
        ),
      );
      assert.equal(server.requests.length, 3);
    }));

  it('a list that became shorter ends where its next page is no more', () =>
    withNames({ names: madeVariants(3), largestPage: 2 }, async ({ api, server }) => {
      const names = openNames(api);
      const { next } = await names.page('variant');
      server.fail('variant', { kind: 'answer', status: 404 });
      assert.deepEqual(await names.page('variant', next), { named: [] });
    }));

  it('a list that is not there means that the account or the address is wrong', () =>
    withNames({}, async ({ api, server }) => {
      await assert.rejects(
        openNames({ ...api, account: 'acne' }).page('variant'),
        failsAs(server, 'ConfigInvalid', '/v1/acne/production/', 'status 404', 'Check metadata.account'),
      );
    }));

  describe('what passes is told with the wait that the server asks for:', () => {
    for (const [title, fault, wait, word] of [
      ['429', { kind: 'answer', status: 429, headers: { 'retry-after': '30' } }, 30_000, 'status 429'],
      [
        'for at most 15 minutes',
        { kind: 'answer', status: 503, headers: { 'retry-after': '86400' } },
        900_000,
        '503',
      ],
      [
        'for at least a second',
        { kind: 'answer', status: 429, headers: { 'retry-after': '0' } },
        1_000,
        '429',
      ],
      ['500', { kind: 'answer', status: 500 }, undefined, 'status 500'],
      ['a cut answer', { kind: 'cut', afterBytes: 20 }, undefined, 'the answer did not come whole'],
      ['a connection without an answer', { kind: 'cut', afterBytes: 0 }, undefined, 'failed: '],
      [
        'a page of another kind',
        { kind: 'answer', status: 200, body: '<html>' },
        undefined,
        '"It is no JSON"',
      ],
      [
        'no list',
        { kind: 'answer', status: 200, body: '{"meta":{},"data":{}}' },
        undefined,
        '"Its data is no list"',
      ],
      [
        'a next page elsewhere',
        { kind: 'next', address: 'https://evil.example/x?token=1' },
        undefined,
        'leads to https://evil.example, where the token does not belong',
      ],
    ] as const) {
      it(title, () =>
        withNames({}, async ({ api, server }) => {
          const names = openNames(api);
          server.fail('variant', fault);
          await assert.rejects(names.page('variant'), (error: Failure) => {
            failsAs(server, 'StoreUnavailable', word, 'It is retried.')(error);
            assert.equal(error.retryIn, wait);
            return true;
          });
          assert.equal((await names.page('variant')).named.length, variants.length);
        }),
      );
    }
  });

  it('a server that is not there is one of them', () =>
    withNames({}, async ({ api, server }) => {
      await assert.rejects(
        openNames({ ...api, url: 'http://127.0.0.1:1/api' }).page('variant'),
        failsAs(server, 'StoreUnavailable', 'Asking http://127.0.0.1:1/api/auth/v0/refresh/ for a token'),
      );
    }));

  it('the token goes nowhere else, whoever says so', () =>
    withNames({}, async ({ api, server }) => {
      for (const next of [`${api.url.replace('127.0.0.1', 'localhost')}/x`, 'nowhere']) {
        await assert.rejects(
          openNames(api).page('variant', next),
          failsAs(
            server,
            'ConfigInvalid',
            'The next page of names is said to be at',
            'Start the refresh anew.',
          ),
        );
      }
      assert.deepEqual(server.requests, []);
    }));

  it('an answer about another id is not taken', () =>
    withNames({}, async ({ api, server }) => {
      server.fail('pageevent/', {
        kind: 'answer',
        status: 200,
        body: '{"meta":{},"data":{"id":8,"title":"b"}}',
      });
      await assert.rejects(
        openNames(api).one('pageevent', '7'),
        failsAs(server, 'StoreUnavailable', '"It is of another id, 8"'),
      );
      server.fail('pageevent/', {
        kind: 'answer',
        status: 200,
        body: '{"meta":{},"data":{"id":7,"title":"b"}}',
      });
      assert.deepEqual(await openNames(api).one('pageevent', '007'), { id: '007', title: 'b' });
    }));

  it('who is told to stop stops in mid-answer', () =>
    withNames({}, async ({ api, server }) => {
      const names = openNames(api);
      await names.page('variant');
      const stop = new AbortController();
      const arrived = new Promise<void>((resolve) => {
        server.fail('variant', { kind: 'slow', until: () => (resolve(), new Promise(() => undefined)) });
      });
      const asked = names.page('variant', undefined, stop.signal);
      await arrived;
      stop.abort(new Error('the worker stops'));
      await assert.rejects(asked, { message: 'the worker stops' });
    }));
});
