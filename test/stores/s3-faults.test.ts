import assert from 'node:assert/strict';
import zlib from 'node:zlib';

import { accessDenied, getOf, listing, slowDown } from '../support/faulty-s3.js';
import { testS3 } from '../support/s3.js';
import { failsAs } from './failing.js';
import { day, fetched, isChanged, listAll, openPlace, randomBytes, type Place } from './s3-place.js';

describe('a store on an S3 server that fails', function () {
  this.timeout(60_000);
  let place: Place;
  beforeEach(async () => {
    place = await openPlace(await testS3());
  });
  afterEach(() => place.close());

  it('goes on where a connection was cut, after what has reached the disk', async () => {
    const body = randomBytes(8_000_000);
    const file = await place.putAndList(`${day}part-0`, body);
    const before = place.proxy.requests.length;
    place.proxy.fail(getOf('part-0'), { kind: 'cut', afterBytes: 7_000_000 });
    assert.ok(body.equals(await fetched(place.store, file)));
    const ranges = place.proxy.requests.slice(before).map(({ headers }) => headers['range']);
    assert.equal(ranges.length, 2);
    assert.equal(ranges[0], undefined);
    const offset = Number(/^bytes=(\d+)-$/.exec(String(ranges[1]))?.[1]);
    assert.ok(offset > 0 && offset <= 7_000_000, `went on at ${String(ranges[1])}`);
  });

  it('goes on as long as every connection brings some of the file', async () => {
    const body = randomBytes(20_000_000);
    const file = await place.putAndList(`${day}part-0`, body);
    place.proxy.fail(getOf('part-0'), { kind: 'cut', afterBytes: 3_000_000 }, 6);
    assert.ok(body.equals(await fetched(place.store, file)));
  });

  const crc32 = (body: Buffer): string => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(zlib.crc32(body));
    return sum.toString('base64');
  };

  it('reads a file again from its start when it is not what its checksum says', async () => {
    const body = randomBytes(300_000);
    const file = await place.putAndList(`${day}part-0`, body);
    const before = place.proxy.requests.length;
    place.proxy.fail(getOf('part-0'), { kind: 'damage', crc32: crc32(body) });
    assert.ok(body.equals(await fetched(place.store, file)));
    const ranges = place.proxy.requests.slice(before).map(({ headers }) => headers['range']);
    assert.deepEqual(ranges, [undefined, undefined]);
  });

  it('gives up for now when a file is never what its checksum says', async () => {
    const body = randomBytes(300_000);
    const file = await place.putAndList(`${day}part-0`, body);
    place.proxy.fail(getOf('part-0'), { kind: 'damage', crc32: crc32(body) }, 100);
    await assert.rejects(
      fetched(place.store, file),
      failsAs('StoreUnavailable', place.bucket, (at) => [
        `Reading ${at}${day}part-0 failed: `,
        'Checksum mismatch',
        'It is retried.',
      ]),
    );
  });

  it('gives up for now when connections bring nothing any more', async () => {
    const file = await place.putAndList(`${day}part-0`, randomBytes(500_000));
    place.proxy.fail(getOf('part-0'), { kind: 'cut', afterBytes: 0 }, 100);
    await assert.rejects(
      fetched(place.store, file),
      failsAs('StoreUnavailable', place.bucket, (at) => [
        `Reading ${at}${day}part-0 failed: `,
        'It is retried.',
      ]),
    );
  });

  it('refuses one that was written anew between a cut and its resumption', async () => {
    const file = await place.putAndList(`${day}part-0`, randomBytes(1_000_000));
    const other = randomBytes(1_000_000, 'other');
    place.proxy.fail(getOf('part-0'), { kind: 'cut', afterBytes: 400_000 });
    place.proxy.fail(getOf('part-0'), { kind: 'before', act: () => place.put(`${day}part-0`, other) });
    await assert.rejects(fetched(place.store, file), isChanged(place, file));
  });

  it('lives with a server that is busy for a moment', async () => {
    const file = await place.putAndList(`${day}part-0`, 'here');
    place.proxy.fail(getOf('part-0'), slowDown);
    assert.equal((await fetched(place.store, file)).toString(), 'here');
    place.proxy.fail(listing, slowDown);
    assert.equal((await listAll(place.store, day)).length, 1);
  });

  it('says what failed when a server stays busy', async () => {
    const file = await place.putAndList(`${day}part-0`, 'here');
    place.proxy.fail(() => true, slowDown, 100);
    await assert.rejects(
      fetched(place.store, file),
      failsAs('StoreUnavailable', place.bucket, (at) => [
        `Reading ${at}${day}part-0 failed: SlowDown: Refused by the test. It is retried.`,
      ]),
    );
    await assert.rejects(
      listAll(place.store, day),
      failsAs('StoreUnavailable', place.bucket, (at) => [
        `Listing ${at}${day} failed: SlowDown: Refused by the test. It is retried.`,
      ]),
    );
  });

  it('says who may mend it when access is denied', async () => {
    const file = await place.putAndList(`${day}part-0`, 'here');
    place.proxy.fail(() => true, accessDenied, 100);
    const advice =
      "Check the source's credentials and that they may list and read this prefix, then reprocess the delivery.";
    await assert.rejects(
      fetched(place.store, file),
      failsAs('AccessDenied', place.bucket, (at) => [
        `Reading ${at}${day}part-0 was refused: AccessDenied: `,
        advice,
      ]),
    );
    await assert.rejects(
      listAll(place.store, day),
      failsAs('AccessDenied', place.bucket, (at) => [
        `Listing ${at}${day} was refused: AccessDenied: `,
        advice,
      ]),
    );
  });

  for (const [code, status, type] of [
    ['ExpiredToken', 400, 'StoreUnavailable'],
    ['RequestTimeTooSkewed', 403, 'StoreUnavailable'],
    ['InvalidToken', 400, 'AccessDenied'],
    ['InvalidAccessKeyId', 403, 'AccessDenied'],
    ['AuthorizationHeaderMalformed', 400, 'ConfigInvalid'],
    ['PermanentRedirect', 301, 'ConfigInvalid'],
    ['InternalError', 500, 'StoreUnavailable'],
  ] as const) {
    it(`takes ${code} for ${type}`, async () => {
      place.proxy.fail(listing, { kind: 'refuse', status, code }, 100);
      await assert.rejects(
        listAll(place.store, day),
        failsAs(type, place.bucket, (at) => [`Listing ${at}${day} `, `: ${code}: `]),
      );
    });
  }

  it('stops fetching when it is aborted, and says why', async () => {
    const file = await place.putAndList(`${day}part-0`, randomBytes(2_000_000));
    const abort = new AbortController();
    const stopped = fetched(place.store, file, {
      signal: abort.signal,
      onBytes: () => abort.abort(new Error('the worker stops')),
    });
    await assert.rejects(stopped, { message: 'the worker stops' });
  });

  it('does not wait for a server that keeps silent once it is aborted', async () => {
    const file = await place.putAndList(`${day}part-0`, 'here');
    const abort = new AbortController();
    const asked = new Promise<void>((resolve) => {
      place.proxy.fail(getOf('part-0'), {
        kind: 'hold',
        until: () => {
          resolve();
          return new Promise(() => undefined);
        },
      });
    });
    const stopped = assert.rejects(fetched(place.store, file, { signal: abort.signal }), {
      message: 'the worker stops',
    });
    await asked;
    abort.abort(new Error('the worker stops'));
    await stopped;
  });
});
