import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import ssh2 from 'ssh2';

import type { Sshd } from '../../sandbox/sshd.js';
import type { SftpSettings } from '../../stores/sftp.js';
import type { Store } from '../../stores/store.js';
import type { Step } from '../support/faulty-sftp.js';
import { newSshd, withoutSshd } from '../support/sshd.js';
import { failsAs } from './failing.js';
import { fetched, listAll } from './s3-place.js';
import {
  keyOf,
  openFaultyPlace,
  openSftpPlace,
  password,
  type FaultyPlace,
  type SftpPlace,
} from './sftp-place.js';

const isLogin = (step: Step): boolean => step.kind === 'login';
const triesPassword = (step: Step): boolean => step.kind === 'login' && step.method === 'password';
const connects = (step: Step): boolean => step.kind === 'connect';

const wrong = 'a wrong password';
const refused = (...parts: string[]): ((error: unknown) => true) =>
  failsAs('AccessDenied', { accessKeyId: '', secretAccessKey: wrong }, () => parts);
const advice =
  "It is tried twice an hour at the most, since servers lock out whoever tries often. Check username and password of the source's store, " +
  'then reprocess the delivery.';

describe('logging in to an SFTP server', function () {
  this.timeout(60_000);
  let place: FaultyPlace;

  beforeEach(async () => {
    place = await openFaultyPlace();
    await place.put('a', 'here');
  });
  afterEach(() => place?.close());

  it('needs no connection until something is asked for', async () => {
    place.open();
    await place.store.close();
    assert.equal(place.server.count(connects), 0);
  });

  it('sends a wrong password once', async () => {
    const stranger = place.open({ login: { password: wrong } });
    await assert.rejects(
      listAll(stranger, ''),
      refused(
        `Logging in to sftp://landfall@127.0.0.1:${place.server.port} was refused: the server does not take this user ` +
          `with this password. ${advice}`,
      ),
    );
    assert.equal(place.server.count(triesPassword), 1);
  });

  it('sends a wrong password once for all that many steps want from many stores', async () => {
    const [file] = await listAll(place.store, '');
    const before = place.server.count(triesPassword);
    const strangers = Array.from({ length: 5 }, () => place.open({ login: { password: wrong } }));
    const steps = strangers.flatMap((store) => [
      ...Array.from({ length: 10 }, () => fetched(store, file!)),
      listAll(store, ''),
      store.remove(file!),
    ]);
    const ended = await Promise.allSettled(steps);
    for (const step of ended) {
      assert.equal(step.status, 'rejected');
      refused('was refused')(step.reason);
    }
    // And for those that come within half an hour, who are told when that is over.
    await assert.rejects(listAll(strangers[0]!, ''), (error: unknown) => {
      const { retryIn = 0 } = error as { readonly retryIn?: number };
      assert.ok(retryIn > 29 * 60_000 && retryIn <= 30 * 60_000, `${retryIn} ms`);
      return refused('was refused')(error);
    });
    assert.equal(place.server.count(triesPassword) - before, 1);
    // Whoever has the right password is not concerned.
    assert.equal((await fetched(place.store, file!)).toString(), 'here');
  });

  it('knows no user of another name', async () => {
    await assert.rejects(
      listAll(place.open({ username: 'nobody-here', login: { password: wrong } }), ''),
      refused('sftp://nobody-here@127.0.0.1', 'was refused'),
    );
  });

  it('tries no way that the server does not offer', async () => {
    await place.close();
    place = await openFaultyPlace({ passwordBy: 'publickey' });
    await assert.rejects(
      listAll(place.open({ login: { password: wrong } }), ''),
      refused('was refused: the server takes no password of this user, but publickey.'),
    );
    assert.deepEqual(place.server.steps.filter(isLogin), [
      { kind: 'login', username: 'landfall', method: 'none' },
    ]);
  });

  it('answers a server that asks for the password as a terminal would', async () => {
    await place.close();
    place = await openFaultyPlace({ passwordBy: 'keyboard-interactive' });
    await place.put('a');
    assert.equal((await listAll(place.store, '')).length, 1);
    await assert.rejects(
      listAll(place.open({ login: { password: wrong } }), ''),
      refused('was refused: the server does not take this user with this password.'),
    );
  });

  it('does not try again at once when the connection is cut before an answer to the password', async () => {
    place.server.fail(triesPassword, { kind: 'cut' }, 100);
    const [first] = await Promise.allSettled([
      listAll(place.store, ''),
      listAll(place.store, ''),
      listAll(place.store, ''),
    ]);
    assert.equal(first.status, 'rejected');
    failsAs('StoreUnavailable', { accessKeyId: '', secretAccessKey: password }, () => [
      `Logging in to sftp://landfall@127.0.0.1:${place.server.port} was not answered: the server ended the connection. `,
      'It is retried later, and not at once: the server may have refused the login without a word.',
    ])(first.reason);
    assert.equal(place.server.count(triesPassword), 1);
  });

  it('sends no password to a server with another host key', async () => {
    const other = 'SHA256:veG4xmzzmBHidwW7vCOGMT+D+B84GZ+0YedBxnaBzeY';
    const { fingerprint } = keyOf(place.server.hostKey);
    await assert.rejects(
      listAll(place.open({ hostKey: keyOf(other) }), ''),
      failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: password }, () => [
        `sftp://landfall@127.0.0.1:${place.server.port} shows the host key ${fingerprint} (ssh-ed25519), and ` +
          `store.hostKey is ${other}. Neither user nor password was sent.`,
        `\`ssh-keyscan -p ${place.server.port} 127.0.0.1 | ssh-keygen -lf -\``,
        'put it into store.hostKey of the source',
      ]),
    );
    assert.equal(place.server.count(isLogin), 0);
  });

  it('says so when the server has no host key of the configured kind', async () => {
    const other = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).public;
    await assert.rejects(
      listAll(place.open({ hostKey: keyOf(other) }), ''),
      failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: password }, () => [
        `shows no host key of that kind, and store.hostKey is ${keyOf(other).fingerprint}. Neither user nor`,
      ]),
    );
  });

  for (const [kind, bits] of [
    ['ecdsa', 256],
    ['rsa', 2_048],
  ] as const) {
    it(`shows an ${kind} key, with its passphrase`, async () => {
      const encryption = { cipher: 'aes256-ctr', passphrase: 'open sesame' };
      const pair = ssh2.utils.generateKeyPairSync(kind, { bits, ...encryption });
      const there = await openFaultyPlace({ users: [{ username: 'landfall', publicKey: pair.public }] });
      await there.put('a');
      const opened = (passphrase: string): Store =>
        there.open({ login: { privateKey: pair.private, passphrase } });
      assert.equal((await listAll(opened('open sesame'), '')).length, 1);
      assert.equal(there.server.count(triesPassword), 0);
      await assert.rejects(
        listAll(opened('hunter2hunter2'), ''),
        failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: 'hunter2hunter2' }, () => [
          'passphrase',
        ]),
      );
      await there.close();
    });
  }

  it('says what is wrong with a private key without showing it, and connects to nobody', async () => {
    const broken = '-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2hunter2\n-----END OPENSSH PRIVATE KEY-----\n';
    await assert.rejects(
      listAll(place.open({ login: { privateKey: broken } }), ''),
      failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: 'hunter2hunter2' }, () => [
        "is not possible: the store's privateKey cannot be read (",
        'Check store.privateKey and store.passphrase of the source.',
      ]),
    );
    const { public: publicKey } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
    await assert.rejects(
      listAll(place.open({ login: { privateKey: publicKey } }), ''),
      failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: password }, () => [
        '(it is a public key)',
      ]),
    );
    assert.equal(place.server.count(connects), 0);
  });
});

describe("logging in to OpenSSH's sshd", function () {
  this.timeout(60_000);
  let sshd: Sshd;
  let place: SftpPlace;

  before(async function () {
    const started = await newSshd();
    if (typeof started === 'string') return withoutSshd(this, started);
    sshd = started;
  });
  beforeEach(async () => {
    place = openSftpPlace({
      ...sshd,
      home: sshd.files,
      login: { privateKey: sshd.userKey },
      hostKey: sshd.hostKeys.ed25519,
    });
    await place.put('a');
  });
  afterEach(() => place?.close());

  /** Lines of its log that begin so, from here on. */
  const watched = async (begin: string): Promise<() => Promise<number>> => {
    const count = async (): Promise<number> =>
      (await readFile(sshd.logFile, 'utf8')).split('\n').filter((line) => line.startsWith(begin)).length;
    const before = await count();
    return async () => (await count()) - before;
  };
  const lists = async (settings: Partial<SftpSettings>): Promise<void> => {
    assert.equal((await listAll(place.open(settings), '')).length, 1);
  };

  for (const kind of ['ed25519', 'ecdsa', 'rsa'] as const) {
    it(`takes it by its ${kind} key`, () => lists({ hostKey: keyOf(sshd.hostKeys[kind]) }));

    it(`takes it by the fingerprint of its ${kind} key alone`, async () => {
      const { fingerprint } = keyOf(sshd.hostKeys[kind]);
      await lists({ hostKey: { fingerprint } });
    });
  }

  it('shows all its keys when none is the right one, and logs in with none', async () => {
    const logins = await watched('Accepted');
    const fingerprint = 'SHA256:veG4xmzzmBHidwW7vCOGMT+D+B84GZ+0YedBxnaBzeY';
    const shown = (kind: keyof Sshd['hostKeys']): string => keyOf(sshd.hostKeys[kind]).fingerprint;
    await assert.rejects(
      listAll(place.open({ hostKey: { fingerprint } }), ''),
      failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: sshd.userKey }, () => [
        `${shown('ed25519')} (ssh-ed25519) and ${shown('ecdsa')} (ecdsa-sha2-nistp256) and ${shown('rsa')} (ssh-rsa)`,
      ]),
    );
    assert.equal(await logins(), 0);
  });

  it('refuses a key of the right kind that is another one', async () => {
    const other = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).public;
    await assert.rejects(
      listAll(place.open({ hostKey: keyOf(other) }), ''),
      failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: sshd.userKey }, () => [
        `shows the host key ${keyOf(sshd.hostKeys.ecdsa).fingerprint} (ecdsa-sha2-nistp256), and`,
      ]),
    );
  });

  it('refuses a password once', async () => {
    const failed = await watched('Failed password');
    const stranger = place.open({ login: { password: wrong } });
    await Promise.allSettled(Array.from({ length: 5 }, () => listAll(stranger, '')));
    await assert.rejects(
      listAll(stranger, ''),
      refused('the server does not take this user with this password'),
    );
    assert.equal(await failed(), 1);
  });

  it('refuses a key that it does not know', async () => {
    const failed = await watched('Accepted key');
    const { private: privateKey } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
    await assert.rejects(
      listAll(place.open({ login: { privateKey } }), ''),
      failsAs('AccessDenied', { accessKeyId: '', secretAccessKey: privateKey }, () => [
        'was refused: the server does not take this user with this key.',
        "Check username and privateKey of the source's store",
      ]),
    );
    assert.equal(await failed(), 0);
  });

  it('takes a refusal for one when it is also the end of the connection', async function () {
    const strict = await newSshd('MaxAuthTries 1');
    if (typeof strict === 'string') return withoutSshd(this, strict);
    const there = openSftpPlace({
      ...strict,
      home: strict.files,
      login: { password: wrong },
      hostKey: strict.hostKeys.ed25519,
    });
    await assert.rejects(
      listAll(there.store, ''),
      refused('the server does not take this user with this password'),
    );
    await there.close();
  });
});
