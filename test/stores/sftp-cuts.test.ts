import assert from 'node:assert/strict';

import { cuttingProxy, type CuttingProxy } from '../support/cutting-proxy.js';
import { newSshd, testSshd, withoutSshd } from '../support/sshd.js';
import { fetched, listAll, randomBytes } from './s3-place.js';
import { day, openSftpPlace, type SftpPlace } from './sftp-place.js';

const body = randomBytes(3_000_000);

describe("a store on OpenSSH's sshd whose connections are cut to the byte", function () {
  this.timeout(60_000);
  let proxy: CuttingProxy;
  let place: SftpPlace;

  before(async function () {
    const sshd = await testSshd();
    if (typeof sshd === 'string') return withoutSshd(this, sshd);
    proxy = await cuttingProxy(sshd.port);
    place = openSftpPlace({
      ...sshd,
      port: proxy.port,
      home: sshd.files,
      login: { privateKey: sshd.userKey },
      hostKey: sshd.hostKeys.ed25519,
    });
  });
  after(async () => {
    await place?.close();
    await proxy?.stop();
  });

  // A banner of 40 bytes, 1,100 of key exchange, 1,000 of login and session, then answers.
  const ends = [0, 1, 20, 41, 500, 1_140, 1_600, 2_000, 2_300, 2_500, 3_000, 20_000, 1_000_000, 2_999_000];
  for (const end of ends) {
    it(`lists and gets a file though the first connection ends after ${end} bytes`, async () => {
      await place.close();
      await place.put(`${day}part-0`, body);
      const store = place.open();
      proxy.cutAfter(end);
      const outcome = await listAll(store, day).catch((error: unknown) => error as Error);
      if (outcome instanceof Error) {
        // Between the signature and the word on it: that is tried again later.
        assert.match(outcome.message, /^Logging in to .* was not answered: /);
        return;
      }
      assert.equal(outcome.length, 1);
      assert.ok(body.equals(await fetched(store, outcome[0]!)));
    });
  }

  it('gets a file though every connection ends after a megabyte', async () => {
    await place.close();
    await place.put(`${day}part-0`, body);
    const store = place.open();
    const [file] = await listAll(store, day);
    await store.close();
    proxy.cutAfter(1_000_000, 1_000_000, 1_000_000);
    assert.ok(body.equals(await fetched(place.open(), file!)));
  });
});

describe("a store on OpenSSH's sshd that exchanges keys anew", function () {
  this.timeout(60_000);

  it('gets a file in the middle of which that happens, several times', async function () {
    const sshd = await newSshd('RekeyLimit 1M');
    if (typeof sshd === 'string') return withoutSshd(this, sshd);
    const place = openSftpPlace({
      ...sshd,
      home: sshd.files,
      login: { privateKey: sshd.userKey },
      hostKey: sshd.hostKeys.ed25519,
    });
    const large = randomBytes(12_000_000);
    const file = await place.putAndList(`${day}part-0`, large);
    assert.ok(large.equals(await fetched(place.store, file)));
    await place.close();
  });
});
