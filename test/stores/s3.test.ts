import assert from 'node:assert/strict';

import { testS3, type S3Access } from '../support/s3.js';
import { skip } from '../support/skip.js';
import { versityS3 } from '../support/versitygw.js';
import { failsAs } from './failing.js';
import {
  day,
  fetched,
  isChanged,
  listAll,
  openPlace,
  pagesOf,
  randomBytes,
  root,
  type Place,
} from './s3-place.js';

const servers: readonly [string, () => Promise<S3Access | string>][] = [
  ['s3rver', testS3],
  ['versitygw', versityS3],
];

for (const [name, start] of servers) {
  const notOnS3rver = name === 's3rver' ? () => undefined : it;
  describe(`a store on S3 (${name})`, function () {
    this.timeout(60_000);
    let server: S3Access;
    let place: Place;

    before(async function () {
      const started = await start();
      if (typeof started === 'string') return skip(this, started);
      server = started;
    });
    beforeEach(async () => {
      place = await openPlace(server);
    });
    afterEach(() => place.close());

    it('lists everything below a folder, in key order, by keys relative to its root', async () => {
      const etag = await place.put(`${day}event=b/part-1`, 'four');
      await place.put(`${day}event=a/part-0`);
      await place.put(`${day}_SUCCESS`, Buffer.alloc(0));
      await place.put('type=events/date=2026-03-01x/part-0');
      await place.bucket.put('elsewhere/part-0', 'x');
      const files = await listAll(place.store, day);
      assert.deepEqual(
        files.map(({ key }) => key),
        [`${day}_SUCCESS`, `${day}event=a/part-0`, `${day}event=b/part-1`],
      );
      const { version, size, modified } = files[2]!;
      assert.deepEqual({ version, size }, { version: etag.replaceAll('"', ''), size: 4 });
      assert.ok(Math.abs(modified - Date.now()) < 60_000);
    });

    it('lists one level with its folders', async () => {
      for (const key of ['_SUCCESS', 'part-0', 'event=a/part-0', 'event=a/deep/part-0', 'event=b/part-0']) {
        await place.put(day + key);
      }
      const pages = await pagesOf(place.store.list(day, { depth: 'level' }));
      assert.deepEqual(
        pages.flatMap(({ files }) => files.map(({ key }) => key)),
        [`${day}_SUCCESS`, `${day}part-0`],
      );
      assert.deepEqual(
        pages.flatMap(({ folders }) => folders),
        [`${day}event=a/`, `${day}event=b/`],
      );
    });

    it('lists nothing where nothing is', async () => {
      assert.deepEqual(await pagesOf(place.store.list(day)), [{ files: [], folders: [] }]);
    });

    // s3rver encrypts where a page ends with a cipher that OpenSSL no longer has.
    notOnS3rver('pages a long listing, and asks only for prefixes with their final slash', async () => {
      const keys = Array.from({ length: 1_050 }, (_, i) => `${day}part-${String(i).padStart(5, '0')}`);
      for (let i = 0; i < keys.length; i += 50)
        await Promise.all(keys.slice(i, i + 50).map((key) => place.put(key, 'x')));
      const before = place.proxy.requests.length;
      const pages = await pagesOf(place.store.list(day));
      assert.deepEqual(
        pages.flatMap(({ files }) => files.map(({ key }) => key)),
        keys,
      );
      assert.deepEqual(
        pages.map(({ files }) => files.length),
        [1_000, 50],
      );
      const asked = place.proxy.requests.slice(before).map(({ query }) => query.get('prefix'));
      assert.deepEqual(asked, [root + day, root + day]);
    });

    it('stops listing when it is aborted', async () => {
      await assert.rejects(listAll(place.store, day, AbortSignal.abort()), { name: 'AbortError' });
    });

    for (const part of [
      '100%',
      'a+b',
      'a b',
      'añadir_a_favoritos',
      '漢字😀',
      'javascript%3Avoid(0);',
      "it's&<b>",
      'x=y',
    ]) {
      it(`knows the key event=${part}/part-0`, async () => {
        const key = `${day}event=${part}/part-0`;
        const file = await place.putAndList(key, `body of ${part}`);
        assert.equal(file.key, key);
        assert.equal((await fetched(place.store, file)).toString(), `body of ${part}`);
      });
    }

    it('fetches a file whole and tells its bytes as they come', async () => {
      const body = randomBytes(3_000_000);
      let bytes = 0;
      const file = await place.putAndList(`${day}part-0`, body);
      assert.ok(body.equals(await fetched(place.store, file, { onBytes: (count) => (bytes += count) })));
      assert.equal(bytes, body.length);
    });

    it('fetches a file without a byte', async () => {
      const file = await place.putAndList(`${day}part-0`, Buffer.alloc(0));
      assert.equal((await fetched(place.store, file)).length, 0);
    });

    it('refuses a file that was written anew after it was listed', async () => {
      const file = await place.putAndList(`${day}part-0`, 'as it was listed');
      await place.put(`${day}part-0`, 'as it was.. written');
      await assert.rejects(fetched(place.store, file), isChanged(place, file));
    });

    it('refuses one that was written anew with as many bytes', async () => {
      const file = await place.putAndList(`${day}part-0`, 'one');
      await place.put(`${day}part-0`, 'two');
      await assert.rejects(fetched(place.store, file), isChanged(place, file));
    });

    it('takes one that was written again with the same bytes', async () => {
      const file = await place.putAndList(`${day}part-0`, 'the same');
      await place.put(`${day}part-0`, 'the same');
      assert.equal((await fetched(place.store, file)).toString(), 'the same');
    });

    it('refuses a file that has gone', async () => {
      const file = await place.putAndList(`${day}part-0`, 'here');
      await place.bucket.remove(`${root}${day}part-0`);
      await assert.rejects(fetched(place.store, file), isChanged(place, file));
    });

    it('says where to look when there is no such bucket', async () => {
      const elsewhere = place.open({ bucket: 'no-such-bucket' });
      await assert.rejects(
        listAll(elsewhere, day),
        failsAs('ConfigInvalid', place.proxy, () => [
          `Listing s3://no-such-bucket/${root}${day} failed: NoSuchBucket: `,
          "Check bucket, region and endpoint of the source's store.",
        ]),
      );
      await elsewhere.close();
    });

    // s3rver takes any signature.
    notOnS3rver('shows no key when a signature is refused', async () => {
      const secret = 'another-secret-than-the-right-one';
      const credentials = { accessKeyId: server.accessKeyId, secretAccessKey: secret };
      const stranger = place.open({ credentials });
      await assert.rejects(
        listAll(stranger, day),
        failsAs('AccessDenied', { ...place.proxy, secretAccessKey: secret }, () => [
          'was refused: SignatureDoesNotMatch',
        ]),
      );
      await stranger.close();
    });
  });
}
