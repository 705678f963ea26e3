/** Keys as puttygen 0.78 wrote them, locked with `correct horse` where their name says so. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import ssh2 from 'ssh2';

import { readLogin } from '../../stores/sftp-login.js';

const passphrase = 'correct horse';
const written = (name: string): Promise<string> =>
  readFile(new URL(`putty-keys/${name}`, import.meta.url), 'utf8');

describe("a private key of PuTTY's", () => {
  for (const kind of ['rsa', 'ed25519', 'ecdsa']) {
    for (const [name, login] of [
      [`${kind}-2.ppk`, {}],
      [`${kind}-2-locked.ppk`, { passphrase }],
      [`${kind}-3.ppk`, {}],
      // A passphrase that is not needed does no harm.
      [`${kind}-3.ppk`, { passphrase }],
    ] as const) {
      it(`is read: ${name}${'passphrase' in login ? ', with a passphrase' : ''}`, async () => {
        const read = readLogin({ privateKey: await written(name), ...login });
        assert.ok('key' in read);
        const open = ssh2.utils.parseKey(await written(`${kind}.pub`));
        assert.ok(!(open instanceof Error));
        assert.deepEqual(read.key.getPublicSSH(), open.getPublicSSH());
        // What it signs is signed by the private half of that public one.
        const signature = read.key.sign(Buffer.from('signed'));
        assert.ok(Buffer.isBuffer(signature));
        assert.equal(open.verify(Buffer.from('signed'), signature), true);
      });
    }
  }

  it('is read with the line breaks of Windows', async () => {
    assert.ok('key' in readLogin({ privateKey: (await written('ed25519-3.ppk')).replaceAll('\n', '\r\n') }));
  });

  const wrong: readonly (readonly [string, string, object, RegExp])[] = [
    [
      'of version 3 with a passphrase',
      'ed25519-3-locked.ppk',
      { passphrase },
      /convert it with 'puttygen key\.ppk -O private-openssh-new/,
    ],
    [
      'without its passphrase',
      'rsa-2-locked.ppk',
      {},
      /it has a passphrase, and store\.passphrase is not set/,
    ],
    [
      'with another passphrase',
      'ecdsa-2-locked.ppk',
      { passphrase: 'another' },
      /the passphrase is another one/,
    ],
  ];
  for (const [what, name, login, says] of wrong) {
    it(`is refused with what to do: ${what}`, async () => {
      const privateKey = await written(name);
      assert.throws(() => readLogin({ privateKey, ...login }), says);
    });
  }

  it('is refused when it is damaged or of a version to come', async () => {
    const privateKey = await written('ed25519-3.ppk');
    const damaged = privateKey.replace('Comment: ed', 'Comment: ED');
    assert.throws(() => readLogin({ privateKey: damaged }), /it is damaged: its MAC is another one/);
    const half = privateKey.slice(0, privateKey.indexOf('Private-MAC'));
    assert.throws(() => readLogin({ privateKey: half }), /it is not whole/);
    const later = privateKey.replace('File-3', 'File-4');
    assert.throws(
      () => readLogin({ privateKey: later }),
      /of a version of PuTTY's that Landfall does not know/,
    );
  });
});
