import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { startSftpServer, type SftpServer } from '../../sandbox/sftp-server.js';
import { testSource, type TestSource, type TestSourceOptions } from './landfall.js';
import { atTheEnd, sharedByTheRun } from './shared.js';

/** An SFTP server as a source is told of it. */
export interface SftpPlace {
  readonly host: string;
  readonly port: number;
  readonly hostKey: string;
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
  /** What the user's own folder is on this machine. */
  readonly home: string;
}

const account = { username: 'landfall', password: 'correct horse battery' };

/** The one server of a run. */
const sftpServer: () => Promise<SftpServer & { readonly home: string }> = sharedByTheRun(async () => {
  const home = await mkdtemp(join(tmpdir(), 'landfall-test-monetate-'));
  const server = await startSftpServer({ directory: home, users: [account] });
  atTheEnd(async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });
  return { ...server, home };
});

export interface MonetateSource extends TestSource {
  /** Where a key lies on this machine. */
  readonly pathOf: (key: string) => string;
  /** Written at an instant in epoch ms; an hour ago unless said otherwise. */
  readonly put: (key: string, body: string | Uint8Array, modified?: number) => Promise<void>;
}

export interface MonetateSourceOptions extends TestSourceOptions {
  readonly server?: SftpPlace;
}

let places = 0;

/** A source of Monetate days in a folder of its own on an SFTP server, looked at every second. */
export async function monetateSource(
  settings: Record<string, unknown> = {},
  options: MonetateSourceOptions = {},
): Promise<MonetateSource> {
  const { home, ...server } = options.server ?? { ...(await sftpServer()), ...account };
  const { host, port, hostKey, username, password, privateKey } = server;
  const root = `place-${process.pid}-${++places}/raw_data/session_stream/`;
  const source = await testSource({
    ...options,
    settings: {
      ...{ vendor: 'monetate', schema: 'monetate', pollEvery: '1 second' },
      store: {
        ...{ type: 'sftp', host, port, hostKey, username, root },
        ...(privateKey === undefined ? { password } : { privateKey }),
      },
      maskKey: 'a key of at least thirty-two bytes',
      ...settings,
    },
  });
  const pathOf = (key: string): string => join(home, root, key);
  return {
    ...source,
    pathOf,
    put: async (key, body, modified = Date.now() - 3_600_000) => {
      await mkdir(dirname(pathOf(key)), { recursive: true });
      // The server's account may not be ours.
      await chmod(dirname(pathOf(key)), 0o777);
      await writeFile(pathOf(key), body);
      await utimes(pathOf(key), modified / 1_000, modified / 1_000);
    },
    drop: async () => {
      await source.drop();
      await rm(join(home, root), { recursive: true, force: true });
    },
  };
}
