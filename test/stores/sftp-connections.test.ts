import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';

import { openPools } from '../../stores/sftp-pool.js';
import type { Store, StoredFile } from '../../stores/store.js';
import { eventually } from '../support/eventually.js';
import type { Step } from '../support/faulty-sftp.js';
import { nodeArguments } from '../support/program.js';
import { newSshd, withoutSshd } from '../support/sshd.js';
import { failsAs } from './failing.js';
import { fetched, listAll, randomBytes } from './s3-place.js';
import { day, openFaultyPlace, openSftpPlace, password, type FaultyPlace } from './sftp-place.js';

const connects = (step: Step): boolean => step.kind === 'connect';
const reads = (step: Step): boolean => step.kind === 'read';
const opens = (step: Step): boolean => step.kind === 'open';

/** Fetches all of them, so many at once. */
async function fetchAll(store: Store, files: readonly StoredFile[], atOnce: number): Promise<void> {
  const queue = [...files];
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      assert.equal((await fetched(store, file)).length, file.size);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

describe('the connections to an SFTP server', function () {
  this.timeout(60_000);
  let place: FaultyPlace;
  let files: StoredFile[];

  beforeEach(async () => {
    place = await openFaultyPlace();
    for (let i = 0; i < 20; i += 1) await place.put(`${day}${i}`, randomBytes(1_000, String(i)));
    files = await listAll(place.store, day);
  });
  afterEach(async () => {
    await place.close();
    assert.deepEqual(openPools(), []);
  });

  it('are one where one step follows the other', async () => {
    await fetchAll(place.store, files, 1);
    await listAll(place.store, day);
    assert.equal(place.server.count(connects), 1);
  });

  it('are at most four where nothing else was said', async () => {
    place.server.fail(
      reads,
      { kind: 'before', act: () => eventually(() => place.server.connections().most === 4) },
      100,
    );
    await fetchAll(place.store, files, 20);
    assert.equal(place.server.connections().most, 4);
    assert.equal(place.server.count(connects), 4);
  });

  it('are as many as was said, for all stores together, whoever logs in', async () => {
    const stores = [
      place.open({ connections: 3 }),
      place.open({ connections: 2 }),
      place.open({ connections: 5, username: 'other' }),
      place.open({ connections: 5, username: 'other', root: '' }),
    ];
    await Promise.all(stores.slice(0, 3).map((store) => fetchAll(store, files, 10)));
    assert.deepEqual([...(await listAll(stores[3]!, ''))].length, files.length);
    assert.equal(place.server.connections().most, 2);
  });

  it('are not lent to another user', async () => {
    const other = place.open({ username: 'other' });
    await fetchAll(other, files, 1);
    const names = place.server.steps.flatMap((step) =>
      step.kind === 'login' && step.method === 'password' ? [step.username] : [],
    );
    assert.deepEqual(names, ['landfall', 'other']);
  });

  it('are shared by stores of the same user', async () => {
    const another = place.open({ root: '' });
    await listAll(another, '');
    await fetchAll(place.store, files, 1);
    assert.equal(place.server.count(connects), 1);
  });

  it('are not found again by a store with another password', async () => {
    const stranger = place.open({ login: { password: 'a wrong password' } });
    await assert.rejects(
      listAll(stranger, day),
      failsAs('AccessDenied', { accessKeyId: '', secretAccessKey: 'a wrong password' }, () => [
        'was refused',
      ]),
    );
  });

  it('end when nobody has used them for a while, and begin again', async () => {
    await place.store.close();
    const impatient = place.open({ idleFor: 50 });
    await fetchAll(impatient, files, 1);
    await eventually(() => place.server.connections().now === 0);
    await fetchAll(impatient, files, 1);
  });

  it('end when the last store that shares them is closed', async () => {
    const another = place.open();
    await fetchAll(another, files, 1);
    await place.store.close();
    assert.equal(place.server.connections().now, 1);
    await fetchAll(another, files, 1);
    assert.equal(place.server.count(connects), 1);
    await another.close();
    await eventually(() => place.server.connections().now === 0);
    await assert.rejects(listAll(another, day), /the store is closed/);
  });

  it('that the server has ended in the meantime are replaced', async () => {
    place.server.cutAll();
    await fetchAll(place.store, files, 1);
    await eventually(() => place.server.connections().now === 1);
    assert.equal(place.server.count(connects), 2);
  });

  it('are as many as the server grants', async () => {
    await place.close();
    place = await openFaultyPlace();
    for (const { key } of files) await place.put(key, 'x');
    const { server } = place;
    const tooMany = (step: Step): boolean => step.kind === 'connect' && server.connections().now > 2;
    server.fail(tooMany, { kind: 'cut' }, 1_000);
    server.fail(opens, { kind: 'before', act: () => eventually(() => server.connections().most > 2) }, 100);
    await fetchAll(place.store, await listAll(place.store, day), 10);
    // One that was one too many, and no further ones.
    assert.equal(server.count(connects), 3);
  });

  it('are as many as the server grants sessions', async () => {
    await place.close();
    place = await openFaultyPlace();
    for (const { key } of files) await place.put(key, 'x');
    const { server } = place;
    const tooMany = (step: Step): boolean => step.kind === 'session' && server.connections().now > 2;
    server.fail(tooMany, { kind: 'refuse' }, 1_000);
    server.fail(opens, { kind: 'before', act: () => eventually(() => server.connections().most > 2) }, 100);
    await fetchAll(place.store, await listAll(place.store, day), 10);
    assert.equal(server.count(connects), 3);
  });

  it('are waited for only as long as somebody wants to', async () => {
    const single = place.open({ connections: 1 });
    const [first, second] = files as [StoredFile, StoredFile];
    place.server.fail(reads, { kind: 'stall' });
    const [inside, waiting] = [new AbortController(), new AbortController()];
    const holding = assert.rejects(fetched(single, first, { signal: inside.signal }), { message: 'enough' });
    await eventually(() => place.server.count(reads) === 1);
    const queued = assert.rejects(fetched(single, second, { signal: waiting.signal }), {
      message: 'too long',
    });
    waiting.abort(new Error('too long'));
    await queued;
    inside.abort(new Error('enough'));
    await holding;
    assert.equal((await fetched(single, second)).length, 1_000);
  });

  it('of a store that is closed fail what it still does, and nothing else', async () => {
    const another = place.open();
    place.server.fail(reads, { kind: 'stall' });
    const stalled = fetched(another, files[0]!).then(
      () => assert.fail('it was fetched'),
      (error: unknown) => error,
    );
    await eventually(() => place.server.count(reads) === 1);
    await another.close();
    failsAs('StoreUnavailable', { accessKeyId: '', secretAccessKey: password }, () => [
      'the store is closed',
    ])(await stalled);
    await fetchAll(place.store, files, 2);
  });

  it('do not keep the process alive once they are idle', async () => {
    const script = place.pathOf('program.mjs');
    const settings = {
      host: place.server.host,
      port: place.server.port,
      username: 'landfall',
      login: { password },
      root: '',
      idleFor: 200,
      hostKey: { fingerprint: '' },
    };
    await writeFile(
      script,
      `import { openSftp } from ${JSON.stringify(new URL('../../stores/sftp.ts', import.meta.url).href)};
       import { readHostKey } from ${JSON.stringify(new URL('../../config/host-key.ts', import.meta.url).href)};
       const hostKey = readHostKey(${JSON.stringify(place.server.hostKey)});
       const store = openSftp({ ...${JSON.stringify(settings)}, hostKey });
       let files = 0;
       for await (const page of store.list('')) files += page.files.length;
       console.log('listed', files);`,
    );
    const child = spawn(process.execPath, nodeArguments(script), {
      cwd: process.cwd(),
      timeout: 30_000,
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([code, said.trim()], [0, 'listed 21']);
  });
});

describe('a day of 3,000 files on SFTP', function () {
  this.timeout(120_000);

  it("is listed in pages and fetched over four connections of OpenSSH's sshd", async function () {
    const sshd = await newSshd();
    if (typeof sshd === 'string') return withoutSshd(this, sshd);
    const place = openSftpPlace({
      ...sshd,
      home: sshd.files,
      login: { privateKey: sshd.userKey },
      hostKey: sshd.hostKeys.ed25519,
    });
    const keys = Array.from({ length: 3_000 }, (_, i) => {
      const minute = (i % 96) * 15;
      const time = `${String(Math.floor(minute / 60)).padStart(2, '0')}${String(minute % 60).padStart(2, '0')}00.000Z`;
      return `${day}20261120T${time}_PT15M-${1_800_000_000_000 + i}.json.gz`;
    });
    for (const key of keys) await place.put(key, key.repeat(10));
    const files = await listAll(place.store, day);
    assert.deepEqual(
      files.map(({ key }) => key),
      keys.sort(),
    );
    await fetchAll(place.store, files, 8);
    const log = await readFile(sshd.logFile, 'utf8');
    assert.equal(log.match(/^Accepted publickey/gm)?.length, 4);
    await place.close();
  });
});
