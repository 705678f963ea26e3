import { download, pause } from './download.js';
import { reportFault, reportRecovery } from './faults.js';
import { addressOf, explain, isPassing, sftpStatus, statusOf } from './sftp-failures.js';
import type { SftpConnection } from './sftp-connection.js';
import { listFolders, readFolder } from './sftp-listing.js';
import { joinPool, type Lease } from './sftp-pool.js';
import { readVersion } from './sftp-reading.js';
import type { SftpServer } from './sftp-server.js';
import type { FetchOptions, ListingPage, ListOptions, Store, StoredFile } from './store.js';

export interface SftpSettings extends SftpServer {
  /** Empty, or ending with `/`: from the user's own folder on, or from the top where it begins with `/`. */
  readonly root: string;
  /**
   * At once to this host and port, over all stores of the process. Default 4. A small file takes three ways to the server and
   * back, and a connection serves one file at a time: over 40 ms that is 8 files of 20 kB a second for each connection,
   * 31 for four. From the same machine one brings 742 to 944 a second, four bring 1,217 to 1,485 (npx tsx bench/sftp.ts).
   */
  readonly connections?: number;
  /** Milliseconds after which a connection that nobody uses is ended. Default 10 seconds. */
  readonly idleFor?: number;
}

/** What broke is tried this many times in all before the step as a whole is retried. */
const attempts = 3;

/**
 * A folder on an SFTP server. Nothing is connected until something is asked for.
 *
 * A version is size and modification time, which the protocol tells in whole seconds: of a file that is written anew with as
 * many bytes in the second in which it was listed, nothing shows it.
 */
export function openSftp(settings: SftpSettings): Store {
  const { root, connections = 4, idleFor = 10_000, ...server } = settings;
  const pool = joinPool(server, { connections, idleFor });
  // As curl writes it: what does not begin at the top of the server begins in the user's own folder.
  const name = `${addressOf(settings)}${root.startsWith('/') ? root : `/~/${root}`}`;

  /** Over another connection where one breaks. */
  async function ask<T>(
    how: { readonly doing: string; readonly right: string; readonly signal: AbortSignal | undefined },
    work: (connection: SftpConnection) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { connection, release } = await pool.take(how.signal);
        try {
          const answer = await work(connection);
          reportRecovery();
          return answer;
        } finally {
          release();
        }
      } catch (error) {
        how.signal?.throwIfAborted();
        const explained = explain(error, how.doing, how.right);
        if (attempt >= attempts || !isPassing(explained)) throw explained;
        reportFault(explained);
      }
      await pause(100 * 2 ** attempt, how.signal);
    }
  }

  async function* list(prefix: string, options: ListOptions = {}): AsyncIterable<ListingPage> {
    const { signal, depth = 'deep' } = options;
    // A folder is read to its end before anything of it is passed on: whoever takes the pages may want a connection, too.
    yield* listFolders(prefix, depth, (folder) =>
      ask(
        { doing: `listing ${name}${prefix}${folder}`, right: 'list and read this folder', signal },
        (connection) => readFolder(connection, { root, path: pathOf(root + prefix + folder) }),
      ),
    );
  }

  async function fetch(file: StoredFile, path: string, options: FetchOptions = {}): Promise<void> {
    const explained = (error: unknown): unknown =>
      explain(error, `reading ${name}${file.key}`, 'read this file');
    async function* read(offset: number): AsyncGenerator<Buffer> {
      let lease: Lease | undefined;
      try {
        lease = await pool.take(options.signal);
        yield* readVersion(lease.connection, { store: name, path: pathOf(root + file.key) }, file, offset);
      } catch (error) {
        throw explained(error);
      } finally {
        lease?.release();
      }
    }
    await download(
      file,
      path,
      {
        open: (_, offset) => ({ body: read(offset), from: offset }),
        explain: explained,
        endTells: true,
        mayGoOn: isPassing,
      },
      options,
    );
  }

  async function remove(file: StoredFile, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const path = pathOf(root + file.key);
    const how = {
      doing: `deleting ${name}${file.key}`,
      right: 'delete in this folder',
      signal: options.signal,
    };
    await ask(how, async (connection) => {
      await connection
        .ask((sftp, answer) => sftp.unlink(path, answer))
        .catch((error: unknown) => {
          if (statusOf(error) !== sftpStatus.noSuchFile) throw error;
        });
    });
  }

  return { name, list, fetch, remove, close: pool.leave };
}

/** Of a key or a folder. The user's own folder is `.`: an empty path is resolved by each server in its own way. */
function pathOf(key: string): string {
  if (key === '' || key === '/') return key === '' ? '.' : key;
  return key.replace(/\/$/, '');
}
