/** The servers that a chaos run kills, freezes and starts again, each on ports and folders that stay the same. */

import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { searchAttributes } from '../../model/control.js';
import { deleteCluster } from '../../sandbox/postgres-place.js';
import { startPostgres } from '../../sandbox/postgres.js';
import { freePort, isListening } from '../../sandbox/ports.js';
import { silently } from '../../sandbox/progress.js';
import { sshd, startSshd, type Sshd } from '../../sandbox/sshd.js';
import { temporalCli } from '../../sandbox/temporal-cli.js';
import { startTemporal, type TemporalServer } from '../../sandbox/temporal-server.js';
import { eventually } from '../support/eventually.js';
import { runProgram, signalFamily, type Part } from './processes.js';

export interface PostgresPart extends Part {
  readonly url: string;
}

export async function postgresPart(folder: string): Promise<PostgresPart> {
  const dataDir = join(folder, 'postgres');
  // A crash of the server is no crash of the machine: what it has written is there without fsync.
  const server = await startPostgres({
    ...{ dataDir, port: await freePort(), progress: silently, settings: { fsync: 'off' } },
  });
  return {
    name: 'Postgres',
    url: server.url,
    killAndStart: async () => {
      await signalFamily(server.pid, 'SIGKILL');
      await eventually(() => server.restart('immediate').then(() => true), {
        ...{ timeoutMs: 60_000, everyMs: 100, what: 'Postgres to start again' },
      });
    },
    freeze: () => signalFamily(server.pid, 'SIGSTOP'),
    thaw: () => signalFamily(server.pid, 'SIGCONT'),
    stop: async () => {
      await server.stop('immediate');
      await deleteCluster(dataDir);
    },
  };
}

export interface TemporalPart extends Part {
  readonly address: string;
}

export async function temporalPart(folder: string): Promise<TemporalPart> {
  const binary = await temporalCli(silently);
  const [port, uiPort] = [await freePort(), await freePort()];
  const start = (): Promise<TemporalServer> =>
    startTemporal({
      ...{ binary, port, uiPort, dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') },
      searchAttributes: {
        [searchAttributes.source]: 'Keyword',
        [searchAttributes.vendor]: 'Keyword',
        [searchAttributes.date]: 'Datetime',
        [searchAttributes.finality]: 'Keyword',
      },
    });
  let server = await start();
  return {
    name: 'Temporal',
    address: server.address,
    killAndStart: async () => {
      await signalFamily(server.pid, 'SIGKILL');
      await server.stop();
      server = await start();
    },
    freeze: () => signalFamily(server.pid, 'SIGSTOP'),
    thaw: () => signalFamily(server.pid, 'SIGCONT'),
    stop: () => server.stop(),
  };
}

export interface S3Part extends Part {
  readonly endpoint: string;
  readonly bucket: string;
}

export async function s3Part(folder: string): Promise<S3Part> {
  const port = await freePort();
  const bucket = 'chaos';
  const program = fileURLToPath(new URL('s3-program.ts', import.meta.url));
  const part = await runProgram('S3', {
    args: ['--import', 'tsx', program, join(folder, 's3'), String(port), bucket],
    logFile: join(folder, 's3.log'),
    answers: () => isListening(port),
  });
  return { ...part, endpoint: `http://127.0.0.1:${port}`, bucket };
}

export interface SftpPart extends Part {
  readonly server: Sshd;
}

/** OpenSSH's server. Undefined where there is none. */
export async function sshdPart(folder: string): Promise<SftpPart | undefined> {
  const binary = await sshd(silently);
  if (binary === undefined) return undefined;
  const directory = join(folder, 'sshd');
  await mkdir(directory);
  await chmod(directory, 0o755);
  const port = await freePort();
  let server = await startSshd({ binary, directory, port });
  return {
    name: 'sshd',
    server,
    killAndStart: async () => {
      await signalFamily(server.pid, 'SIGKILL');
      await server.stop();
      server = await startSshd({ binary, directory, port });
    },
    freeze: () => signalFamily(server.pid, 'SIGSTOP'),
    thaw: () => signalFamily(server.pid, 'SIGCONT'),
    stop: () => server.stop(),
  };
}
