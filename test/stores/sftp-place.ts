import assert from 'node:assert/strict';
import { mkdir, mkdtemp, chmod, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { readHostKey, type HostKey } from '../../config/host-key.js';
import { openSftp, type SftpSettings } from '../../stores/sftp.js';
import type { Store, StoredFile } from '../../stores/store.js';
import { faultySftp, type FaultySftp } from '../support/faulty-sftp.js';
import type { SftpServerOptions } from '../../sandbox/sftp-server.js';
import { listAll } from './s3-place.js';

export const root = '12345/raw_data/session_stream/';
export const day = '2026/11/20/';
export const password = 'correct horse battery';

/** Where an SFTP server is, and how a test comes by what lies on it. */
export interface SftpAccess extends Pick<SftpSettings, 'host' | 'port' | 'username' | 'login'> {
  readonly hostKey: string;
  /** What the user's own folder is on this machine. */
  readonly home: string;
}

/** A folder of a test's own on a server, and a store on it. */
export interface SftpPlace {
  readonly store: Store;
  /** Another store; closed with the place. */
  readonly open: (changes?: Partial<SftpSettings>) => Store;
  /** Where a key lies on this machine. */
  readonly pathOf: (key: string) => string;
  /** Written at a whole second, so that a second writing within it shows only where a test wants it to. */
  readonly put: (key: string, body?: string | Uint8Array, modified?: number) => Promise<void>;
  readonly putAndList: (key: string, body: string | Uint8Array) => Promise<StoredFile>;
  readonly close: () => Promise<void>;
}

/** Seconds since 1970. */
export const written = Date.UTC(2026, 10, 20, 12) / 1_000;

let folders = 0;

export function openSftpPlace(access: SftpAccess): SftpPlace {
  const own = `place-${process.pid}-${(folders += 1)}/`;
  const { home, hostKey, host, port, username, login } = access;
  const stores: Store[] = [];
  const open: SftpPlace['open'] = (changes = {}) => {
    const store = openSftp({
      host,
      port,
      username,
      login,
      hostKey: keyOf(hostKey),
      root: own + root,
      idleFor: 2_000,
      idleTimeout: 10_000,
      loginTimeout: 10_000,
      ...changes,
    });
    stores.push(store);
    return store;
  };
  const pathOf = (key: string): string => join(home, own, root, key);
  const put: SftpPlace['put'] = async (key, body = key, modified = written) => {
    await mkdir(dirname(pathOf(key)), { recursive: true });
    // The server's account may not be ours, and deletes.
    await chmod(dirname(pathOf(key)), 0o777);
    await writeFile(pathOf(key), body);
    await utimes(pathOf(key), modified, modified);
  };
  const store = open();
  return {
    store,
    open,
    pathOf,
    put,
    putAndList: async (key, body) => {
      await put(key, body);
      const file = (await listAll(store, day)).find((listed) => listed.key === key);
      assert.ok(file, `${key} is not listed`);
      return file;
    },
    close: async () => {
      await Promise.all(stores.map((opened) => opened.close()));
      await rm(join(home, own), { recursive: true, force: true });
    },
  };
}

export interface FaultyPlace extends SftpPlace {
  readonly server: FaultySftp;
}

/** The same on a server of the test's own, which fails as it is told. */
export async function openFaultyPlace(options: Partial<SftpServerOptions> = {}): Promise<FaultyPlace> {
  const home = await mkdtemp(join(tmpdir(), 'landfall-test-sftp-'));
  await chmod(home, 0o755);
  const users = [
    { username: 'landfall', password },
    { username: 'other', password },
  ];
  const server = await faultySftp({ directory: home, users, ...options });
  const { host, port, hostKey } = server;
  const place = openSftpPlace({ host, port, hostKey, username: 'landfall', login: { password }, home });
  return {
    ...place,
    server,
    close: async () => {
      await place.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export function keyOf(text: string): HostKey {
  const key = readHostKey(text);
  assert.ok(key, text);
  return key;
}
