import type { Context } from 'mocha';

import { testSshd, withoutSshd } from '../support/sshd.js';
import { openFaultyPlace, openSftpPlace, type SftpPlace } from './sftp-place.js';

export const openSsh = "OpenSSH's sshd";

/** The servers that every sentence about SFTP is tested on. */
export const sftpServers: readonly [string, () => Promise<SftpPlace | string>][] = [
  [
    openSsh,
    async () => {
      const server = await testSshd();
      if (typeof server === 'string') return server;
      const { userKey: privateKey, files: home } = server;
      return openSftpPlace({ ...server, home, login: { privateKey }, hostKey: server.hostKeys.ed25519 });
    },
  ],
  ["the sandbox's server", () => openFaultyPlace()],
];

/** A place on one of them; where there is none, the test ends. */
export async function placeOn(test: Context, start: () => Promise<SftpPlace | string>): Promise<SftpPlace> {
  const started = await start();
  return typeof started === 'string' ? withoutSshd(test, started) : started;
}
