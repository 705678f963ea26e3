import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, givePortBack } from './ports.js';
import { postgresBinaries } from './postgres-binaries.js';
import { createCluster, postgresPlace, type PostgresPlace } from './postgres-place.js';
import { processName } from './processes.js';
import type { Progress } from './progress.js';
import { lastLines, startServerProcess, type ServerProcess } from './server-process.js';

export interface PostgresOptions {
  /** Kept across runs; made where it is missing. Password and log lie beside it: `<dataDir>.password`, `.log`. */
  readonly dataDir: string;
  /** Of 127.0.0.1. Without it a free one is found. */
  readonly port?: number;
  readonly progress: Progress;
  /** Settings of postgresql.conf on top of the sandbox's own, e.g. `{ fsync: 'off' }` for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** `fast` ends sessions and writes everything out; `immediate` is a crash: the next start recovers. */
export type StopMode = 'fast' | 'immediate';

export interface PostgresServer {
  /** Names the database `landfall`, user and password included. */
  readonly url: string;
  readonly port: number;
  /** Another one after every restart. */
  readonly pid: number;
  /** Where the data really lie; not always where they were wanted, see postgres-place.ts. */
  readonly dataDir: string;
  readonly logFile: string;
  /** Settles when the server has ended, with the way it ended. Another promise after every restart. */
  readonly ended: () => Promise<string>;
  readonly stop: (mode?: StopMode) => Promise<void>;
  readonly restart: (mode?: StopMode) => Promise<void>;
}

const USER = 'landfall';
const DATABASE = 'landfall';
const MAJOR_VERSION = '18';

/**
 * For a laptop with two cores and bulk loads. fsync stays on: the data of a sandbox are kept. wal_level stays at
 * its default, or loads measured here would look faster than on a server that has a replica.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // No socket: its path would have to be short, and another account could not always reach it.
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  shared_buffers: '256MB',
  maintenance_work_mem: '256MB',
  log_checkpoints: 'off',
};

/** Starts the PostgreSQL that npm installed on 127.0.0.1. It stops with this process, however that ends. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { progress } = options;
  const place = await postgresPlace(options.dataDir, progress);
  const { initdb, postgres } = await postgresBinaries(place.account, progress);
  await createCluster(place, initdb, USER, progress);
  await refuseOtherVersion(place.dataDir);
  await waitForItsLastServer(place.dataDir, progress);

  const settings = { ...SETTINGS, ...options.settings };
  let port = options.port ?? (await freePort());
  let server: ServerProcess;
  for (let attempt = 1; ; attempt++) {
    try {
      server = await startServer(postgres, place, port, settings);
      break;
    } catch (error) {
      // Someone may take a free port between our looking and Postgres' listening.
      const taken = (error as Error).message.includes('Address already in use');
      if (!taken || options.port !== undefined || attempt === 3) throw error;
      port = await freePort();
    }
  }
  const base = `postgres://${USER}:${place.password}@127.0.0.1:${port}`;
  await createDatabase(`${base}/postgres`);

  const stop = async (mode: StopMode = 'fast'): Promise<void> => {
    await server.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    if (options.port === undefined) givePortBack(port);
  };
  return {
    url: `${base}/${DATABASE}`,
    port,
    get pid() {
      return server.pid;
    },
    dataDir: place.dataDir,
    logFile: place.logFile,
    ended: () => server.ended,
    stop,
    restart: async (mode: StopMode = 'fast') => {
      await stop(mode);
      // One that was killed leaves its lock behind.
      await waitForItsLastServer(place.dataDir, progress);
      server = await startServer(postgres, place, port, settings);
    },
  };
}

async function startServer(
  postgres: string,
  place: PostgresPlace,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const args = ['-D', place.dataDir, '-p', String(port)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const server = await startServerProcess({
    name: 'Postgres',
    command: postgres,
    args,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    account: place.account,
    logFile: place.logFile,
    stopSignal: 'SIGINT',
  });
  while (server.running()) {
    const { pid, status } = await lockFile(place.dataDir);
    if (pid === server.pid && status === 'ready') return server;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(
    `Postgres ended while starting on ${place.dataDir} (${await server.ended}). The end of its log, ` +
      `${place.logFile}:\n${await lastLines(place.logFile)}`,
  );
}

/** postmaster.pid: line 1 is the server's process id, line 8 its state, padded. */
async function lockFile(dataDir: string): Promise<{ pid: number | undefined; status: string }> {
  const text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return { pid: pid > 0 ? pid : undefined, status: lines[7]?.trim() ?? '' };
}

/**
 * A server whose parent was killed a moment ago is on its way out, and is waited for. One that stays belongs to
 * somebody. A lock file whose process is gone, or is another program by now, is what a crash leaves behind.
 */
async function waitForItsLastServer(dataDir: string, progress: Progress): Promise<void> {
  const started = Date.now();
  for (let said = false; ; said = true) {
    const { pid, status } = await lockFile(dataDir);
    if (pid === undefined) return;
    if (!(await processName(pid))?.includes('postgres')) {
      await rm(join(dataDir, 'postmaster.pid'), { force: true });
      return;
    }
    const patience = status === 'stopping' ? 30_000 : 3_000;
    if (Date.now() - started > patience) {
      throw new Error(
        `A Postgres server (process ${pid}) is already running on ${dataDir}. ` +
          'Stop the program that started it, or use another data directory.',
      );
    }
    if (!said) progress(`Waiting for the Postgres server of an earlier run (process ${pid}) to stop…`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function refuseOtherVersion(dataDir: string): Promise<void> {
  const version = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  if (version === MAJOR_VERSION) return;
  throw new Error(
    `The data in ${dataDir} were written by PostgreSQL ${version}, and this is PostgreSQL ${MAJOR_VERSION}. ` +
      'Delete the directory to begin with an empty database, or use another one.',
  );
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(DATABASE)}`);
  } finally {
    await client.end();
  }
}
