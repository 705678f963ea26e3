import type { Stats } from 'ssh2';

import { changed } from './download.js';
import type { SftpConnection } from './sftp-connection.js';
import { sftpStatus, statusOf } from './sftp-failures.js';
import { versionOf } from './sftp-listing.js';
import type { StoredFile } from './store.js';

/**
 * Bytes asked for by one request. Servers are only bound to give 32 kB at once (draft-ietf-secsh-filexfer-02, 3), and of
 * others than OpenSSH's ssh2 asks for 31,952 at most: anything larger would take a second way there and back.
 */
const pieceSize = 30 * 1_024;

/**
 * Requests under way, which together fill the 2 MB that ssh2 lets a server send ahead. Over 40 ms to the server and back one
 * request at a time brings 0.8 MB/s, 16 bring 10, 64 bring 21 and 128 no more; OpenSSH's sftp brings 13 there, and ssh2's
 * createReadStream, with one request of 64 kB at a time, 1.5. From the same machine, on two cores that also serve, 64 bring
 * 125 to 140 MB/s, OpenSSH's sftp 231 to 268, ssh2's fastGet, which cannot resume, 71 to 78 and createReadStream 27 to 32
 * (npx tsx bench/sftp.ts).
 */
const piecesAtOnce = 64;

/**
 * The bytes of the listed version from an offset on, in order. What the server's file is now is looked at before and after:
 * another size or time is `FileChanged`.
 */
export async function* readVersion(
  connection: SftpConnection,
  where: { readonly store: string; readonly path: string },
  file: StoredFile,
  offset: number,
): AsyncGenerator<Buffer> {
  const gone = (how: string): Error => changed(where.store, file, how);
  const check = (now: Stats): void => {
    const version = versionOf(now);
    if (version !== file.version) throw gone(`it is version ${version} by now`);
  };
  const handle = await connection
    .ask<Buffer>((sftp, answer) => sftp.open(where.path, 'r', answer))
    .catch((error: unknown) => {
      throw statusOf(error) === sftpStatus.noSuchFile ? gone('it is no longer there') : error;
    });
  const look = (): Promise<Stats> => connection.ask<Stats>((sftp, answer) => sftp.fstat(handle, answer));

  async function piece(from: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.min(pieceSize, file.size - from));
    // A server may give less than it was asked for.
    for (let have = 0; have < buffer.length;) {
      const got = await connection.ask<number>((sftp, answer) =>
        sftp.read(handle, buffer, have, buffer.length - have, from + have, answer),
      );
      if (got === 0) throw gone(`it ends after ${from + have} bytes`);
      have += got;
    }
    return buffer;
  }

  const coming: Promise<Buffer>[] = [];
  let asked = offset;
  const askForMore = (): void => {
    for (; asked < file.size && coming.length < piecesAtOnce; asked += pieceSize) {
      const next = piece(asked);
      // Whoever waits for an earlier piece hears of its error; of this one's perhaps nobody.
      next.catch(() => undefined);
      coming.push(next);
    }
  };
  try {
    // Sent together: of a small file, which is most of them, the way to the server and back is the whole cost.
    const before = look();
    before.catch(() => undefined);
    askForMore();
    check(await before);
    for (let next = coming.shift(); next !== undefined; next = coming.shift()) {
      const bytes = await next;
      askForMore();
      yield bytes;
    }
    check(await look());
  } finally {
    // Not waited for: the next request may go right behind it, and a connection that broke has closed its files.
    connection.ask((sftp, answer) => sftp.close(handle, answer)).catch(() => undefined);
  }
}
