/** A listing is believed only where it is one. */

import assert from 'node:assert/strict';

import { falseListings } from '../support/false-listings.js';
import { listing } from '../support/faulty-s3.js';
import { testS3 } from '../support/s3.js';
import { failsAs } from './failing.js';
import { day, listAll, openPlace, pagesOf, root, type Place } from './s3-place.js';

describe('a listing of an S3 server', function () {
  this.timeout(60_000);
  let place: Place;
  beforeEach(async () => {
    place = await openPlace(await testS3());
    for (const part of ['part-0', 'part-1', 'part-2']) await place.put(`${day}${part}`);
  });
  afterEach(() => place.close());

  for (const { what, body, says } of falseListings) {
    it(`is not taken for one that is empty or shorter: ${what}`, async () => {
      place.proxy.fail(listing, { kind: 'rewrite', body });
      await assert.rejects(listAll(place.store, day), (error: Error) => {
        failsAs('StoreUnavailable', place.bucket, (at) => [`Listing ${at}${day} `, 'It is retried.'])(error);
        assert.match(error.message, says);
        return true;
      });
      assert.equal((await listAll(place.store, day)).length, 3);
    });
  }

  it('is believed to be empty where the server says so of this very prefix', async () => {
    assert.deepEqual(await listAll(place.store, 'type=events/date=2026-03-02/'), []);
  });

  it('is retried by the SDK when it turns out to be an error, which S3 may send after it has said 200', async () => {
    const error =
      '<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>Try again.</Message></Error>\n';
    place.proxy.fail(listing, { kind: 'rewrite', body: () => error });
    assert.equal((await listAll(place.store, day)).length, 3);
  });

  it('does not go round in circles', async () => {
    const more =
      (token: string) =>
      (xml: string): string =>
        xml.replace(
          /<IsTruncated>\w+<\/IsTruncated>/,
          `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`,
        );
    // s3rver knows no token but its own; the proxy answers for it.
    const page = `<ListBucketResult><Name>${place.bucket.bucket}</Name><Prefix>${root}${day}</Prefix>
      <KeyCount>0</KeyCount><IsTruncated>true</IsTruncated></ListBucketResult>`;
    const answer = (token: string): void =>
      place.proxy.fail(listing, { kind: 'rewrite', body: () => more(token)(page) });
    for (const token of ['one', 'two', 'one']) answer(token);
    await assert.rejects(
      pagesOf(place.store.list(day)),
      failsAs('StoreUnavailable', place.bucket, () => ['leads back to a page that it has given already']),
    );
  });

  it('shows what came instead, escaped and without what is secret', async () => {
    const { secretAccessKey } = place.proxy;
    const body = (): string => `\u001b[2Jblocked ${secretAccessKey}`;
    place.proxy.fail(listing, { kind: 'rewrite', body });
    await assert.rejects(listAll(place.store, day), (error: Error) => {
      assert.ok(error.message.includes('no listing but "\\x1b[2Jblocked [secret]"'), error.message);
      return true;
    });
  });
});
