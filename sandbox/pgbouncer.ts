import { chown, chmod, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { chosenProgram, findOnPath, isExecutable, run } from './commands.js';
import { installInCi } from './debian.js';
import { freePort, givePortBack } from './ports.js';
import type { Progress } from './progress.js';
import { untilListening, startServerProcess, type Account } from './server-process.js';

/**
 * pgbouncer: PGBOUNCER_PATH, else what is installed. In CI, as root on a Debian system, it is installed where it is missing.
 * Undefined where there is none; only tests use it.
 */
export async function pgbouncer(progress: Progress): Promise<string | undefined> {
  const chosen = await chosenProgram('PGBOUNCER_PATH');
  if (chosen !== undefined) return chosen;
  const installed = await installedPgbouncer();
  if (installed !== undefined) return installed;
  await installInCi('pgbouncer', 'Installing pgbouncer (some seconds, once)', progress);
  return installedPgbouncer();
}

async function installedPgbouncer(): Promise<string | undefined> {
  // Not on the PATH of a Debian user who is not root.
  if (await isExecutable('/usr/sbin/pgbouncer')) return '/usr/sbin/pgbouncer';
  return findOnPath('pgbouncer');
}

export interface PgbouncerOptions {
  readonly binary: string;
  /** Configuration and log lie here. Any account must reach it. */
  readonly directory: string;
  /** A Postgres server on 127.0.0.1; all of its databases are reached, as the user that the address names. */
  readonly url: string;
  /** Sessions of Postgres that all clients of a database share. */
  readonly poolSize?: number;
}

export interface Pgbouncer {
  /** The same address, through pgbouncer. */
  readonly through: (url: string) => string;
  readonly logFile: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts pgbouncer on 127.0.0.1 in transaction mode, which is what most run it for, with its defaults otherwise: it refuses
 * startup parameters that it does not know.
 */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer> {
  const { directory } = options;
  const { hostname, port: behind, username, password } = new URL(options.url);
  const account = await someAccount();
  const port = await freePort();
  const files = { settings: join(directory, 'pgbouncer.ini'), users: join(directory, 'users.txt') };
  await writeFile(files.users, `"${username}" "${password}"\n`);
  await writeFile(
    files.settings,
    [
      '[databases]',
      `* = host=${hostname} port=${behind}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${files.users}`,
      'pool_mode = transaction',
      `default_pool_size = ${options.poolSize ?? 20}`,
      'max_client_conn = 200',
      '',
    ].join('\n'),
  );
  for (const path of Object.values(files)) {
    await chmod(path, 0o600);
    if (account !== undefined) await chown(path, account.uid, account.gid);
  }
  const logFile = join(directory, 'pgbouncer.log');
  const server = await startServerProcess({
    name: 'pgbouncer',
    command: options.binary,
    args: [files.settings],
    env: { PATH: process.env['PATH'] },
    account,
    logFile,
    // SIGINT would wait for its clients.
    stopSignal: 'SIGTERM',
  });
  await untilListening(server, 'pgbouncer', port, logFile);
  return {
    through: (url) => {
      const address = new URL(url);
      address.port = String(port);
      return address.href;
    },
    logFile,
    stop: async () => {
      await server.stop('SIGTERM', 5_000);
      givePortBack(port);
    },
  };
}

/** It refuses to run as root, who runs it as nobody. */
async function someAccount(): Promise<Account | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])]);
  if (!uid.ok || !gid.ok) throw new Error('There is no account "nobody" for pgbouncer to run as.');
  return { uid: Number(uid.output), gid: Number(gid.output) };
}
