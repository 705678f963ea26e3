import assert from 'node:assert/strict';

import { parseConfig } from '../../config/load.js';
import type { SourceConfig } from '../../config/schema.js';
import { openStore } from '../../stores/open.js';
import { exchangeToken } from '../../stores/optimizely-credentials.js';
import { eventually } from '../support/eventually.js';
import { testS3 } from '../support/s3.js';
import { failsAs } from './failing.js';
import { granted, withExchange, type ExchangeAnswer } from './optimizely-exchange.js';
import { fetched, listAll, openPlace, pagesOf, root, type Place } from './s3-place.js';

const token = '2:a-personal-token';
const keys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'the/secret+key', sessionToken: 'the-session' };
const documented = 1_591_026_407_394;
const hour = 3_600_000;
/** The client renews keys five minutes before they expire. */
const soonRenewed = 300_500;

/** What an error must not show: the token, and the keys that an answer may hold. */
const shows = { accessKeyId: keys.accessKeyId, secretAccessKey: token };

describe("the exchange of Optimizely's token for keys", () => {
  it('asks for an hour, the longest there is, and says who asks', () =>
    withExchange(
      () => granted('s3://optimizely-events-data/v1/account_id=123', keys, documented),
      async ({ url, requests }) => {
        await exchangeToken(url, token);
        assert.deepEqual(requests, [
          { method: 'GET', path: '/v2/export/credentials', duration: '1h', authorization: `Bearer ${token}` },
        ]);
      },
    ));

  for (const [title, path, bucket, prefix] of [
    [
      'without its final slash',
      's3://optimizely-events-data/v1/account_id=123',
      'optimizely-events-data',
      'v1/account_id=123/',
    ],
    [
      'with its final slash',
      's3://optimizely-events-data/v1/account_id=123/',
      'optimizely-events-data',
      'v1/account_id=123/',
    ],
    ['with odd characters', 's3://My.Bucket_1/a b/100%25/ü=?#x', 'My.Bucket_1', 'a b/100%25/ü=?#x/'],
    ['that is a whole bucket', 's3://bucket/', 'bucket', ''],
  ] as const) {
    it(`takes a path ${title}`, () =>
      withExchange(
        () => granted(path, keys, documented),
        async ({ url }) => {
          assert.deepEqual(await exchangeToken(url, token), {
            ...keys,
            expiration: new Date('2020-06-01T15:46:47.394Z'),
            bucket,
            prefix,
          });
        },
      ));
  }

  for (const status of [401, 403]) {
    it(`says what to check when the token is refused with ${status}`, () =>
      withExchange(
        () => ({ status, body: `{"message":"Bad token ${token}"}` }),
        async ({ url }) => {
          await assert.rejects(
            exchangeToken(url, token),
            failsAs('AccessDenied', shows, () => [
              `Exchanging the Optimizely token at ${url} was refused with status ${status}.`,
              'Check credentials.optimizelyToken: it must be a personal token of a user who may export',
            ]),
          );
        },
      ));
  }

  const { accessKeyId, secretAccessKey } = keys;
  const faults: readonly [string, ExchangeAnswer, string][] = [
    ['a fault of the server', { status: 500, body: token }, 'failed with status 500. It is retried.'],
    ['too many requests', { status: 429, body: '' }, 'failed with status 429. It is retried.'],
    [
      'a page instead of an answer',
      { status: 200, body: `<html>${token}</html>` },
      '(the body). It is retried.',
    ],
    ['an empty answer', { status: 200, body: '{}' }, '(credentials, s3Path). It is retried.'],
    [
      'an answer without a secret key',
      granted('s3://b/p', { ...keys, secretAccessKey: '' }, documented),
      '(credentials.secretAccessKey). It is retried.',
    ],
    ['a path elsewhere', granted('gs://b/p', keys, documented), '(s3Path). It is retried.'],
    ['a redirect', { status: 302, body: '' }, 'It is retried.'],
  ];
  for (const [title, answer, sentence] of faults) {
    it(`is retried after ${title}, and shows nothing of it`, () =>
      withExchange(
        () => answer,
        async ({ url }) => {
          await assert.rejects(
            exchangeToken(url, token),
            failsAs('StoreUnavailable', shows, () => [
              `Exchanging the Optimizely token at ${url} `,
              sentence,
            ]),
          );
          await assert.rejects(exchangeToken(url, token), (error) => {
            assert.ok(
              !String(error).includes(keys.secretAccessKey) && !String(error).includes(keys.sessionToken),
            );
            return true;
          });
        },
      ));
  }

  it('takes keys without a session', () =>
    withExchange(
      () => granted('s3://b/p', { accessKeyId, secretAccessKey }, documented),
      async ({ url }) => assert.equal((await exchangeToken(url, token)).sessionToken, undefined),
    ));

  it('is retried where nobody answers, and says so', async () => {
    const url = await withExchange(
      () => ({ status: 500, body: '' }),
      (exchange) => Promise.resolve(exchange.url),
    );
    await assert.rejects(
      exchangeToken(url, token),
      failsAs('StoreUnavailable', shows, () => [`at ${url} failed: `, 'ECONNREFUSED', 'It is retried.']),
    );
  });

  for (const broken of [
    '2:a-per\nsonal-token',
    '2:a-personal-tok…',
    '2:a personal token',
    ' 2:a-personal-token',
    '',
  ]) {
    it(`refuses ${JSON.stringify(broken)} without showing it`, async () => {
      await assert.rejects(
        exchangeToken('http://127.0.0.1:9/', broken),
        failsAs('AccessDenied', { ...shows, secretAccessKey: broken || 'nothing' }, () => [
          'credentials.optimizelyToken holds a character that no token has',
          'Copy the token again, then reprocess the delivery.',
        ]),
      );
    });
  }
});

describe("a store with Optimizely's token", function () {
  this.timeout(20_000);
  let place: Place;
  beforeEach(async () => {
    place = await openPlace(await testS3());
  });
  afterEach(() => place.close());

  const answerOf = (number: number, lifetime: number): ExchangeAnswer => {
    const { accessKeyId, secretAccessKey } = place.proxy;
    const s3Path = `s3://${place.bucket.bucket}/${root.replace(/\/$/, '')}`;
    const credentials = { accessKeyId, secretAccessKey, sessionToken: `session-${number}` };
    return granted(s3Path, credentials, Date.now() + lifetime);
  };
  const sessions = (): unknown[] =>
    place.proxy.requests.map(({ headers }) => headers['x-amz-security-token']);

  it('learns its bucket and folder from the answer, and asks once an hour', () =>
    withExchange(
      (number) => answerOf(number, hour),
      async ({ url, requests }) => {
        await place.put('type=events/date=2026-03-01/part-0');
        const store = openStore(sourceOf(url, place.proxy.endpoint));
        assert.equal(requests.length, 0, 'nothing is connected before it is used');
        const [file] = await listAll(store, 'type=events/date=2026-03-01/');
        assert.equal((await fetched(store, file!)).toString(), file!.key);
        await store.close();
        assert.equal(requests.length, 1);
        assert.deepEqual(sessions(), ['session-1', 'session-1']);
      },
    ));

  it('exchanges the token again in mid-load, before its keys expire', () =>
    withExchange(
      (number) => answerOf(number, number === 1 ? soonRenewed : hour),
      async ({ url, requests }) => {
        await place.put('type=events/date=2026-03-01/part-0');
        const store = openStore(sourceOf(url, place.proxy.endpoint));
        const [file] = await listAll(store, 'type=events/date=2026-03-01/');
        assert.deepEqual(sessions(), ['session-1']);
        await eventually(async () => {
          await fetched(store, file!);
          return sessions().at(-1) === 'session-2';
        });
        for (let i = 0; i < 3; i += 1) await fetched(store, file!);
        await store.close();
        assert.deepEqual(sessions().slice(-4), Array<string>(4).fill('session-2'));
        assert.equal(requests.length, 2);
      },
    ));

  it('is opened again where its opening failed', () =>
    withExchange(
      (number) => (number === 1 ? { status: 503, body: '' } : answerOf(number, hour)),
      async ({ url }) => {
        const store = openStore(sourceOf(url, place.proxy.endpoint));
        await assert.rejects(
          pagesOf(store.list('type=events/')),
          failsAs('StoreUnavailable', shows, () => ['failed with status 503. It is retried.']),
        );
        assert.deepEqual(await listAll(store, 'type=events/'), []);
        await store.close();
      },
    ));

  it('says that the token is refused when that happens in mid-load', () =>
    withExchange(
      (number) => (number === 1 ? answerOf(number, soonRenewed) : { status: 401, body: '' }),
      async ({ url }) => {
        const store = openStore(sourceOf(url, place.proxy.endpoint));
        await listAll(store, 'type=events/');
        await eventually(async () => {
          await assert.rejects(
            listAll(store, 'type=events/'),
            failsAs('AccessDenied', shows, () => ['was refused with status 401', 'reprocess the delivery']),
          );
          return true;
        });
        await store.close();
      },
    ));

  it('is closed though it was never opened', () => openStore(sourceOf('http://127.0.0.1:9/', '')).close());
});

function sourceOf(credentialsUrl: string, endpoint: string): SourceConfig {
  const store = {
    type: 's3',
    forcePathStyle: true,
    ...(endpoint === '' ? {} : { endpoint }),
    credentials: { optimizelyToken: token },
    credentialsUrl,
  };
  const text = JSON.stringify({ sources: { experiments: { vendor: 'optimizely', store } } });
  return parseConfig({ name: 'test.yaml', path: 'test.yaml', env: {}, text }).sources[0]!;
}
