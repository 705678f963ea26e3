import assert from 'node:assert/strict';

import { parseConfig } from '../../config/load.js';

type Settings = Readonly<Record<string, unknown>>;

const s3 = { type: 's3', bucket: 'b', prefix: 'v1/' };
const sftp = {
  ...{ type: 'sftp', host: 'h', username: 'u', password: 'p', root: '1/raw_data/session_stream/' },
  hostKey: 'SHA256:veG4xmzzmBHidwW7vCOGMT+D+B84GZ+0YedBxnaBzeY',
};
/** A source in which an address stands, with whatever stands beside it. */
const places: readonly (readonly [setting: string, source: (beside: Settings) => Settings])[] = [
  ['store.endpoint', (beside) => ({ vendor: 'megaphone', store: { ...s3, ...beside } })],
  [
    'store.credentialsUrl',
    (beside) => ({
      vendor: 'optimizely',
      store: { ...s3, credentials: { optimizelyToken: 'a-token' }, ...beside },
    }),
  ],
  [
    'api.url',
    (beside) => ({ vendor: 'leanplum', store: s3, api: { appId: 'a', clientKey: 'a-key', ...beside } }),
  ],
  [
    'metadata.url',
    (beside) => ({
      vendor: 'monetate',
      store: sftp,
      maskKey: 'a key of at least thirty-two bytes',
      metadata: { account: 'a', username: 'api-a', privateKey: 'PEM', ...beside },
    }),
  ],
];

const parse = (source: Settings): unknown =>
  parseConfig({
    text: JSON.stringify({ sources: { one: { schema: 'one', ...source } } }),
    name: 'landfall.yaml',
    path: '/landfall.yaml',
    env: {},
  });

describe('an address without TLS', () => {
  for (const [setting, source] of places) {
    const name = setting.split('.')[1]!;
    it(`is refused as ${setting}, unless that is wanted`, () => {
      for (const address of ['http://minio:9000', 'http://10.0.0.5/api', 'http://127.0.0.1.example.com']) {
        assert.throws(
          () => parse(source({ [name]: address })),
          (error: Error) => {
            assert.ok(error.message.includes(`sources.one.${setting} begins with http://`), error.message);
            assert.match(error.message, /set allowHttp: true beside it/);
            return true;
          },
        );
        parse(source({ [name]: address, allowHttp: true }));
      }
    });

    it(`may lead to this machine as ${setting}, and with TLS anywhere`, () => {
      for (const address of [
        ...[
          'http://127.0.0.1:9000',
          'http://localhost:9000',
          'http://[::1]:9000',
          'http://s3.localhost:9000',
        ],
        'https://minio:9000',
      ]) {
        parse(source({ [name]: address }));
      }
    });
  }
});
