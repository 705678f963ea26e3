import assert from 'node:assert/strict';
import { appendFile, readFile, rename, rm } from 'node:fs/promises';

import type { Store } from '../../stores/store.js';
import { failsAs } from './failing.js';
import { fetched, listAll, randomBytes } from './s3-place.js';
import { day, password, written, type SftpPlace } from './sftp-place.js';
import { placeOn, sftpServers } from './sftp-servers.js';

const secrets = { accessKeyId: '', secretAccessKey: password };

for (const [name, start] of sftpServers) {
  describe(`fetching from a store on SFTP (${name})`, function () {
    this.timeout(60_000);
    let place: SftpPlace;
    let store: Store;

    beforeEach(async function () {
      place = await placeOn(this, start);
      ({ store } = place);
    });
    afterEach(() => place?.close());

    /** An error of this kind whose sentence holds these parts. */
    const fails = (type: Parameters<typeof failsAs>[0], ...parts: string[]): ((error: unknown) => true) =>
      failsAs(type, secrets, () => parts);

    it('fetches a file whole and tells its bytes as they come', async () => {
      const body = randomBytes(5_000_000);
      const counts: number[] = [];
      const file = await place.putAndList(`${day}part-0`, body);
      assert.ok(body.equals(await fetched(store, file, { onBytes: (count) => counts.push(count) })));
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        body.length,
      );
      assert.ok(counts.length > 100);
    });

    for (const size of [0, 1, 30_719, 30_720, 30_721, 61_440]) {
      it(`fetches a file of ${size} bytes`, async () => {
        const body = randomBytes(size);
        assert.ok(body.equals(await fetched(store, await place.putAndList(`${day}part-0`, body))));
      });
    }

    it('fetches several files at once', async () => {
      const bodies = Array.from({ length: 10 }, (_, i) => randomBytes(300_000, String(i)));
      for (const [i, body] of bodies.entries()) await place.put(`${day}part-${i}`, body);
      const files = await listAll(store, day);
      const got = await Promise.all(files.map((file) => fetched(store, file)));
      for (const [i, body] of bodies.entries()) assert.ok(body.equals(got[i]!));
    });

    it('refuses a file that was written anew after it was listed', async () => {
      const file = await place.putAndList(`${day}part-0`, 'as it was listed');
      await place.put(`${day}part-0`, 'as it was.. written');
      await assert.rejects(
        fetched(store, file),
        fails(
          'FileChanged',
          `${store.name}${day}part-0 changed after it was listed as version 16-${written}: `,
          `it is version 19-${written} by now. The delivery is planned again.`,
        ),
      );
    });

    it('refuses one that was written anew with as many bytes', async () => {
      const file = await place.putAndList(`${day}part-0`, 'one');
      await place.put(`${day}part-0`, 'two', written + 1);
      await assert.rejects(
        fetched(store, file),
        fails('FileChanged', `it is version 3-${written + 1} by now`),
      );
    });

    it('refuses one that was empty and has grown', async () => {
      const file = await place.putAndList(`${day}part-0`, '');
      await appendFile(place.pathOf(`${day}part-0`), 'more');
      await assert.rejects(fetched(store, file), fails('FileChanged', 'it is version 4-'));
    });

    it('refuses a file that has gone', async () => {
      const file = await place.putAndList(`${day}part-0`, 'here');
      await rm(place.pathOf(`${day}part-0`));
      await assert.rejects(fetched(store, file), fails('FileChanged', 'it is no longer there'));
    });

    it('refuses a file that another one has replaced', async () => {
      const file = await place.putAndList(`${day}part-0`, 'here');
      await place.put('.part-0', 'other', written + 1);
      await rename(place.pathOf('.part-0'), place.pathOf(`${day}part-0`));
      await assert.rejects(fetched(store, file), fails('FileChanged', 'by now'));
    });

    it('leaves nothing of a former file at the path', async () => {
      const long = await place.putAndList(`${day}long`, 'a long one');
      const short = await place.putAndList(`${day}short`, 'short');
      const path = place.pathOf('fetched');
      await store.fetch(long, path);
      await store.fetch(short, path);
      assert.equal((await readFile(path)).toString(), 'short');
    });
  });
}
