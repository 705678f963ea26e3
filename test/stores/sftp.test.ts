import assert from 'node:assert/strict';
import { chmod, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { run } from '../../sandbox/commands.js';
import type { Store } from '../../stores/store.js';
import { failsAs } from './failing.js';
import { fetched, listAll, pagesOf } from './s3-place.js';
import { day, password, written, type SftpPlace } from './sftp-place.js';
import { openSsh, placeOn, sftpServers } from './sftp-servers.js';

const secrets = { accessKeyId: '', secretAccessKey: password };

for (const [name, start] of sftpServers) {
  const onOpenSsh = name === openSsh ? it : () => undefined;
  describe(`a store on SFTP (${name})`, function () {
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

    it('lists everything below a folder, in key order, by keys relative to its root', async () => {
      for (const key of ['b/part-1', 'a/part-0', 'a-b', 'ab', 'a/z/deep', '_SUCCESS'])
        await place.put(day + key, 'four');
      await place.put('2026/11/200/part-0');
      const files = await listAll(store, day);
      assert.deepEqual(
        files.map(({ key }) => key),
        ['_SUCCESS', 'a-b', 'a/part-0', 'a/z/deep', 'ab', 'b/part-1'].map((key) => day + key),
      );
      assert.deepEqual(files[0], {
        key: `${day}_SUCCESS`,
        version: `4-${written}`,
        size: 4,
        modified: written * 1_000,
      });
    });

    it('lists one level with its folders', async () => {
      for (const key of ['part-1', 'part-0', 'a/part-0', 'a/deep/part-0', 'b/part-0'])
        await place.put(day + key);
      const pages = await pagesOf(store.list(day, { depth: 'level' }));
      assert.deepEqual(
        pages.flatMap(({ files }) => files.map(({ key }) => key)),
        [`${day}part-0`, `${day}part-1`],
      );
      assert.deepEqual(
        pages.flatMap(({ folders }) => folders),
        [`${day}a/`, `${day}b/`],
      );
    });

    it('lists nothing where nothing is', async () => {
      assert.deepEqual(await pagesOf(store.list(day)), [{ files: [], folders: [] }]);
      await place.put('2026/11/20');
      assert.deepEqual(await pagesOf(store.list(day)), [{ files: [], folders: [] }]);
    });

    it('lists its root', async () => {
      await place.put('a/b');
      assert.deepEqual(
        (await listAll(store, '')).map(({ key }) => key),
        ['a/b'],
      );
      const [page] = await pagesOf(store.list('', { depth: 'level' }));
      assert.deepEqual(page, { files: [], folders: ['a/'] });
    });

    it('pages a long listing, over many folders too', async () => {
      const keys = Array.from(
        { length: 2_050 },
        (_, i) => `${day}${String(Math.floor(i / 600)).padStart(2, '0')}/${String(i).padStart(5, '0')}`,
      );
      for (let i = 0; i < keys.length; i += 50)
        await Promise.all(keys.slice(i, i + 50).map((key) => place.put(key, 'x')));
      const pages = await pagesOf(store.list('2026/'));
      assert.deepEqual(
        pages.flatMap(({ files }) => files.map(({ key }) => key)),
        keys,
      );
      assert.deepEqual(
        pages.map(({ files }) => files.length),
        [1_000, 1_000, 50],
      );
    });

    it('may be listed and read from at once with a single connection', async () => {
      for (const key of ['a/0', 'b/0']) await place.put(day + key);
      const single = place.open({ connections: 1 });
      for await (const { folders } of single.list(day, { depth: 'level' })) {
        for (const folder of folders) {
          for (const file of await listAll(single, folder)) {
            assert.equal((await fetched(single, file)).toString(), file.key);
          }
        }
      }
    });

    it('stops listing when it is aborted', async () => {
      await assert.rejects(listAll(store, day, AbortSignal.abort()), { name: 'AbortError' });
    });

    it('takes a link to a file for the file, and leaves links to folders and to nothing out', async () => {
      await place.put(`${day}part-0`, 'linked');
      await symlink(place.pathOf(`${day}part-0`), place.pathOf(`${day}link`));
      await symlink(place.pathOf('2026'), place.pathOf(`${day}upwards`));
      await symlink(place.pathOf('nothing'), place.pathOf(`${day}nowhere`));
      const files = await listAll(store, day);
      assert.deepEqual(
        files.map(({ key, version }) => [key, version]),
        [
          [`${day}link`, `6-${written}`],
          [`${day}part-0`, `6-${written}`],
        ],
      );
      assert.equal((await fetched(store, files[0]!)).toString(), 'linked');
      const [level] = await pagesOf(store.list(day, { depth: 'level' }));
      assert.deepEqual(level?.folders, []);
    });

    it('lists through a prefix that is a link', async () => {
      await place.put('there/part-0');
      await symlink(place.pathOf('there'), place.pathOf('here'));
      assert.deepEqual(
        (await listAll(store, 'here/')).map(({ key }) => key),
        ['here/part-0'],
      );
    });

    it('does not list what is neither file nor folder', async () => {
      await place.put(`${day}part-0`);
      assert.ok((await run('mkfifo', [place.pathOf(`${day}pipe`)])).ok);
      assert.equal((await listAll(store, day)).length, 1);
    });

    for (const part of [
      '100%',
      'a b',
      ' ',
      '-rf *',
      'añadir_a_favoritos',
      '漢字😀',
      '\uffee after a surrogate 😀',
      `it's "quoted" & <b>`,
      'back\\slash',
      'two\nlines',
      '..hidden',
      'x'.repeat(200),
    ]) {
      it(`knows the key ${JSON.stringify(part)}`, async () => {
        const key = `${day}${part}/${part}`;
        const file = await place.putAndList(key, `body of ${part}`);
        assert.equal((await fetched(store, file)).toString(), `body of ${part}`);
      });
    }

    it('orders keys by their bytes, as S3 does', async () => {
      for (const key of ['\u{1f600}', '\uffee', 'z', 'é']) await place.put(day + key);
      assert.deepEqual(
        (await listAll(store, day)).map(({ key }) => key.slice(day.length)),
        ['z', 'é', '\uffee', '\u{1f600}'],
      );
    });

    // Node's own server cannot name such a file.
    onOpenSsh('reads what it can of a folder in which a name is not UTF-8', async () => {
      await place.put(`${day}part-0`);
      const odd = Buffer.concat([Buffer.from(place.pathOf(day)), Buffer.from([0x66, 0xfc, 0x72])]);
      await writeFile(odd, 'Latin-1');
      const files = await listAll(store, day);
      assert.deepEqual(
        files.map(({ key }) => key),
        [`${day}f\ufffdr`, `${day}part-0`],
      );
      assert.equal((await fetched(store, files[1]!)).toString(), `${day}part-0`);
    });

    it('deletes a file, whatever its version, and one that is gone', async () => {
      const file = await place.putAndList(`${day}part-0`, 'here');
      await place.put(`${day}part-0`, 'another version');
      await store.remove(file);
      await store.remove(file);
      assert.deepEqual(await listAll(store, day), []);
    });

    // Root, as whom the sandbox's own server may run, reads everything.
    onOpenSsh('names what it may not read', async () => {
      const file = await place.putAndList(`${day}part-0`, 'here');
      await place.put(`${day}closed/part-0`);
      await chmod(place.pathOf(`${day}part-0`), 0);
      await chmod(place.pathOf(`${day}closed`), 0);
      await chmod(dirname(place.pathOf(`${day}part-0`)), 0o555);
      await assert.rejects(
        fetched(store, file),
        fails(
          'AccessDenied',
          `Reading ${store.name}${day}part-0 was refused: Permission denied. `,
          "Check that the user of the source's store may read this file, then reprocess the delivery.",
        ),
      );
      await assert.rejects(
        listAll(store, '2026/'),
        fails(
          'AccessDenied',
          `Listing ${store.name}${day}closed/ was refused: Permission denied. `,
          'may list and read this folder',
        ),
      );
      await assert.rejects(
        store.remove(file),
        fails('AccessDenied', `Deleting ${store.name}${day}part-0 was refused: Permission denied. `),
      );
    });

    it('may begin at the top of the server', async () => {
      await place.put('a');
      const top = place.open({ root: '/' });
      assert.match(top.name, /^sftp:\/\/[a-z]+@127\.0\.0\.1:\d+\/$/);
      const [page] = await pagesOf(top.list('', { depth: 'level' }));
      assert.ok((page?.folders.length ?? 0) > 0);
      assert.ok(page?.folders.every((folder) => /^[^/]+\/$/.test(folder)));
    });

    it('may begin in the own folder of its user', async () => {
      await place.put('a');
      const own = place.open({ root: '' });
      assert.match(own.name, /^sftp:\/\/[a-z]+@127\.0\.0\.1:\d+\/~\/$/);
      const folder = store.name.slice(own.name.length);
      assert.deepEqual(
        (await listAll(own, folder)).map(({ key }) => key),
        [`${folder}a`],
      );
    });

    it('has a version that is the same wherever the machine is', async () => {
      await place.put(`${day}part-0`, 'four');
      await utimes(place.pathOf(`${day}part-0`), written + 0.9, written + 0.9);
      assert.equal((await listAll(store, day))[0]?.version, `4-${written}`);
    });
  });
}
