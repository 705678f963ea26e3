/** What the measurements run on: servers of our own on the loopback; those of files and the worker in their own processes. */

import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { stringify } from 'yaml';

import { hasStore, type SourceConfig } from '../config/schema.js';
import { loadConfig } from '../config/load.js';
import { searchAttributes } from '../model/control.js';
import { openBucket, type Bucket } from '../sandbox/bucket.js';
import { deleteCluster } from '../sandbox/postgres-place.js';
import { startPostgres } from '../sandbox/postgres.js';
import { storeRoot } from '../sandbox/monetate/files.js';
import { freePort } from '../sandbox/ports.js';
import type { Progress } from '../sandbox/progress.js';
import { temporalCli } from '../sandbox/temporal-cli.js';
import { startTemporal } from '../sandbox/temporal-server.js';
import { vendors } from '../vendors/registry.js';
import { migrate } from '../warehouse/migrate.js';
import { prepareSource } from '../warehouse/prepare-source.js';
import { startProgram, type Program } from './processes.js';
import { sftpAccount } from './sftp-account.js';

export interface Place {
  /** Readable for the account that runs Postgres. */
  readonly folder: string;
  readonly postgresUrl: string;
  readonly postgresPid: number;
  readonly pool: pg.Pool;
  readonly client: Client;
  /** By vendor, and by name where a vendor has several. */
  readonly source: (vendor: SourceConfig['vendor'], name?: string) => SourceConfig;
  readonly taskQueue: string;
  /** Puts the files below a folder into a source's bucket. */
  readonly upload: (source: SourceConfig, directory: string) => Promise<void>;
  /** Starts a worker that has loaded nothing yet. */
  readonly startWorker: () => { readonly pid: number; readonly stop: () => Promise<void> };
  /** Starts `landfall receiver`, and returns when it takes something. */
  readonly startReceiver: () => Promise<RunningReceiver>;
  /** What it lets in. */
  readonly receiverToken: string;
  readonly end: () => Promise<void>;
}

export interface RunningReceiver {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export interface PlaceOptions {
  /** What the SFTP server serves. */
  readonly sftpDirectory: string;
  readonly progress: Progress;
}

const bucket = 'bench';
const receiverToken = 'measured';
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export async function bringUp(options: PlaceOptions): Promise<Place> {
  const ends: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    for (let next = ends.pop(); next !== undefined; next = ends.pop()) await next();
  };
  try {
    return { ...(await bringUpParts(options, ends)), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** What was brought up is taken down by `ends`, last first, also when the rest cannot be. */
async function bringUpParts(
  { sftpDirectory, progress }: PlaceOptions,
  ends: (() => Promise<unknown>)[],
): Promise<Omit<Place, 'end'>> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-bench-'));
  await chmod(folder, 0o755);
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), progress });
  ends.push(
    () => deleteCluster(join(folder, 'postgres')),
    () => postgres.stop(),
  );
  const temporal = await startTemporal({
    binary: await temporalCli(progress),
    logFile: join(folder, 'temporal.log'),
    searchAttributes: {
      [searchAttributes.source]: 'Keyword',
      [searchAttributes.vendor]: 'Keyword',
      [searchAttributes.date]: 'Datetime',
      [searchAttributes.finality]: 'Keyword',
    },
  });
  ends.push(temporal.stop);
  const s3 = startProgram(['--import', 'tsx', here('s3-program.ts'), join(folder, 's3'), bucket]);
  ends.push(s3.stop);
  const endpoint = await s3.firstLine;
  const sftp = startProgram(['--import', 'tsx', here('sftp-program.ts'), sftpDirectory]);
  ends.push(sftp.stop);

  const configPath = join(folder, 'landfall.yaml');
  const receiverPort = await freePort();
  const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const store = { type: 's3', bucket, endpoint, forcePathStyle: true, ...keys };
  await writeFile(
    configPath,
    stringify({
      postgres: { url: postgres.url },
      receiver: { port: receiverPort },
      sources: {
        experiments: { vendor: 'optimizely', store: { ...store, prefix: 'v1/account_id=1/' } },
        podcasts: { vendor: 'megaphone', store: { ...store, prefix: 'podcasts/' } },
        sessions: { vendor: 'leanplum', store: { ...store, prefix: 'sessions/' } },
        rum: { vendor: 'dynatrace', auth: { bearer: receiverToken } },
        ...monetateSources(JSON.parse(await sftp.firstLine) as SftpAt),
      },
    }),
  );
  const config = await loadConfig({ path: configPath, env: {}, cwd: folder });
  const pool = new pg.Pool({ connectionString: postgres.url });
  ends.push(() => pool.end());
  await migrate(pool);
  for (const source of config.sources) await prepareSource(pool, source, vendors[source.vendor].scripts);
  const connection = await Connection.connect({ address: temporal.address });
  ends.push(() => connection.close());
  /** Runs a command of ours as a process. */
  const start = (command: string): Program => {
    const main = here('../dist/client/main.js');
    const env = { TEMPORAL_ADDRESS: temporal.address, LANDFALL_LOG_LEVEL: 'warn' };
    const program = startProgram([main, command, '--config', configPath], env);
    ends.push(program.stop);
    return program;
  };

  return {
    folder,
    postgresUrl: postgres.url,
    postgresPid: postgres.pid,
    pool,
    client: new Client({ connection }),
    source: (vendor, name) => {
      const source = config.sources.find(
        (candidate) => candidate.vendor === vendor && (name === undefined || candidate.name === name),
      );
      if (!source) throw new Error(`the configuration has no source ${name ?? ''} of ${vendor}`);
      return source;
    },
    taskQueue: config.temporal.taskQueue,
    upload: (source, directory) => upload(openBucket({ endpoint, ...keys }, bucket), source, directory),
    startWorker: () => {
      const worker = start('worker');
      return { pid: worker.child.pid ?? 0, stop: worker.stop };
    },
    receiverToken,
    startReceiver: async () => {
      const receiver = start('receiver');
      const url = `http://127.0.0.1:${receiverPort}`;
      while (!(await isReady(url))) {
        if (receiver.child.exitCode !== null) throw new Error('landfall receiver has ended');
        await setTimeout(100);
      }
      return { url, pid: receiver.child.pid ?? 0, stop: receiver.stop };
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

interface SftpAt {
  readonly port: number;
  readonly hostKey: string;
}

/** The same files, with what is personal as it comes and with the masks that are usual. */
function monetateSources({ port, hostKey }: SftpAt): Record<string, object> {
  const root = storeRoot;
  const store = { type: 'sftp', host: '127.0.0.1', port, hostKey, ...sftpAccount, root };
  // Files stand still when two looks saw them so: looks are this far apart, where a day waits 15 minutes.
  const common = { vendor: 'monetate', store, pollEvery: '2 seconds' };
  const asItComes = { customer_id: 'keep', customer_link: 'keep', custom_targets: 'keep' };
  return {
    visits: { ...common, schema: 'visits', mask: asItComes },
    hashed: { ...common, schema: 'hashed', maskKey: 'a key of at least thirty-two bytes' },
  };
}

async function upload(target: Bucket, source: SourceConfig, directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const prefix = hasStore(source) && 'prefix' in source.store ? (source.store.prefix ?? '') : '';
    await target.put(`${prefix}${relative(directory, path)}`, path);
  }
  target.close();
}
