/** What a refusal of an S3 server means, and that it tells nobody what is secret. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';

import { Failure, type FailureType } from '../../model/failure.js';
import { openS3, type S3Settings } from '../../stores/s3.js';
import type { StoredFile } from '../../stores/store.js';
import { fetched, listAll } from './s3-place.js';

const keys = {
  accessKeyId: 'AKIAOPENLYNAMED',
  secretAccessKey: 'never+sent/secret',
  sessionToken: 'FwoGZXIvYXdzE+/=token',
};
const file: StoredFile = { key: 'part-0', version: 'v1', size: 3, modified: 0 };

describe('a refusal of an S3 server', () => {
  for (const { code, message, type, says } of refusals()) {
    it(`says what to do about ${code}: ${message}`, async () => {
      const failure = await refusedBy(403, errorOf(code, message));
      assert.equal(failure.type, type, failure.message);
      assert.match(failure.message, /^Reading s3:\/\/b\/p\/part-0 (was refused|failed): /);
      assert.match(failure.message, says);
    });
  }

  it('is told from one of a proxy, which has no code of S3', async () => {
    const failure = await refusedBy(403, '<html><body>Blocked</body></html>');
    assert.equal(failure.type, 'AccessDenied');
    assert.match(failure.message, /a proxy or firewall may have refused it/);
  });

  it('keeps to itself what the server repeats of our secrets, in every form in which errors travel', async () => {
    // As S3 answers SignatureDoesNotMatch and InvalidToken: what was signed, and the token.
    const token = keys.sessionToken;
    const echo =
      `<Token-0>${token}</Token-0><AWSAccessKeyId>${keys.accessKeyId}</AWSAccessKeyId>` +
      `<CanonicalRequest>GET\\n/b\\nx-amz-security-token:${token}\\n</CanonicalRequest>` +
      `<StringToSign>${encodeURIComponent(token)}</StringToSign>`;
    for (const code of [
      'InvalidToken',
      'ExpiredToken',
      'SignatureDoesNotMatch',
      'AccessDenied',
      'SomethingNew',
    ]) {
      for (const status of code === 'SomethingNew' ? [400, 403, 503] : [400, 403]) {
        const failure = await refusedBy(
          status,
          errorOf(code, `The token ${token} is not for ${keys.secretAccessKey}`, echo),
        );
        const shown = [
          inspect(failure, { depth: 10, showHidden: true }),
          failure.stack,
          JSON.stringify(failure),
        ].join('\n');
        for (const value of Object.values(keys)) {
          assert.ok(
            !shown.includes(value) && !shown.includes(encodeURIComponent(value)),
            `${value} in ${shown}`,
          );
        }
        assert.ok(failure.message.includes('The token [secret] is not for [secret]'), failure.message);
      }
    }
  });

  it('sends that we pay for the request where the store says so', async () => {
    const payers: unknown[] = [];
    await refusedBy(403, errorOf('AccessDenied', 'no'), { requesterPays: true }, payers);
    await refusedBy(403, errorOf('AccessDenied', 'no'), {}, payers);
    assert.deepEqual(payers, ['requester', 'requester', undefined, undefined]);
  });
});

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly type: FailureType;
  readonly says: RegExp;
}

function refusals(): readonly Refusal[] {
  const denied = 'AccessDenied';
  const unavailable = 'StoreUnavailable';
  return [
    {
      code: 'AccessDenied',
      message: 'Access Denied',
      type: denied,
      says: /they may list and read this prefix/,
    },
    {
      code: 'AccessDenied',
      message: 'The bucket is a Requester Pays bucket and the request has no header for it',
      type: denied,
      says: /Set store\.requesterPays to true/,
    },
    {
      code: 'AccessDenied',
      message: 'User: x is not authorized to perform: kms:Decrypt on this resource',
      type: denied,
      says: /Grant them kms:Decrypt/,
    },
    {
      code: 'InvalidObjectState',
      message: "The operation is not valid for the object's storage class",
      type: denied,
      says: /is archived .*GLACIER.*Restore it/,
    },
    { code: 'SignatureDoesNotMatch', message: 'No', type: denied, says: /secretAccessKey/ },
    { code: 'InvalidAccessKeyId', message: 'No', type: denied, says: /does not know the accessKeyId/ },
    { code: 'InvalidToken', message: 'No', type: denied, says: /sessionToken .* does not belong/ },
    { code: 'AllAccessDisabled', message: 'No', type: denied, says: /account is blocked/ },
    {
      code: 'RequestTimeTooSkewed',
      message: 'No',
      type: unavailable,
      says: /It is retried\. .*clock \(NTP\)/,
    },
    {
      code: 'ExpiredToken',
      message: 'No',
      type: unavailable,
      says: /It is retried\. .*temporary keys have expired/,
    },
  ];
}

function errorOf(code: string, message: string, more = ''): string {
  return `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;
}

/** What a list and a read of a server that refuses both fail with: the one of the read. */
async function refusedBy(
  status: number,
  body: string,
  changes: Partial<S3Settings> = {},
  payers: unknown[] = [],
): Promise<Failure> {
  const server = createServer((request, response) => {
    payers.push(request.headers['x-amz-request-payer']);
    response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const store = openS3({
    bucket: 'b',
    prefix: 'p/',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: keys,
    ...changes,
  });
  try {
    const [list, read] = await Promise.allSettled([listAll(store, ''), fetched(store, file)]);
    for (const outcome of [list, read]) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Failure, inspect(outcome));
    }
    return (read as PromiseRejectedResult).reason as Failure;
  } finally {
    await store.close();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}
