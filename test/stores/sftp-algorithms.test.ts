/** Servers whose algorithms are those of twenty years ago. */

import assert from 'node:assert/strict';

import type { SftpAlgorithms } from '../../config/sftp-algorithms.js';
import { newSshd, withoutSshd } from '../support/sshd.js';
import { failsAs } from './failing.js';
import { listAll } from './s3-place.js';
import { openSftpPlace } from './sftp-place.js';

const cases: readonly (readonly [
  setting: string,
  sshd: readonly string[],
  offers: string,
  allowed: SftpAlgorithms,
])[] = [
  [
    'kex',
    ['KexAlgorithms diffie-hellman-group14-sha1'],
    'no key exchange in common: the server offers diffie-hellman-group14-sha1',
    { kex: ['diffie-hellman-group14-sha1'] },
  ],
  [
    'cipher',
    ['Ciphers aes256-cbc,3des-cbc'],
    'no cipher in common: the server offers aes256-cbc, 3des-cbc',
    { cipher: ['aes256-cbc'] },
  ],
  [
    'hmac',
    // GCM needs none.
    ['MACs hmac-sha1-96', 'Ciphers aes256-ctr'],
    'no MAC in common: the server offers hmac-sha1-96',
    { hmac: ['hmac-sha1-96'] },
  ],
];

describe("OpenSSH's sshd with nothing but old algorithms", function () {
  this.timeout(60_000);
  for (const [setting, lines, offers, allowed] of cases) {
    it(`says which setting takes them, and works with it: ${setting}`, async function () {
      const server = await newSshd(...lines);
      if (typeof server === 'string') return withoutSshd(this, server);
      const { userKey: privateKey, files: home } = server;
      const place = openSftpPlace({
        ...server,
        home,
        login: { privateKey },
        hostKey: server.hostKeys.ed25519,
      });
      try {
        await place.put('a', 'here');
        const name = Object.values(allowed)[0]![0]!;
        await assert.rejects(
          listAll(place.store, ''),
          failsAs('ConfigInvalid', { accessKeyId: '', secretAccessKey: privateKey }, () => [
            `sftp://${server.username}@127.0.0.1:${server.port} and Landfall have ${offers}`,
            `set store.algorithms.${setting} of the source to ['${name}']`,
            'Neither user nor password was sent.',
          ]),
        );
        const files = await listAll(place.open({ algorithms: allowed }), '');
        assert.deepEqual(
          files.map(({ key }) => key),
          ['a'],
        );
      } finally {
        await place.close();
      }
    });
  }
});
