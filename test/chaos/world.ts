/** Everything that a chaos run needs: servers, workers, a receiver, and Landfall set up on them. */

import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, rm, utimes, writeFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';

import { freePort } from '../../sandbox/ports.js';
import { dynatraceToken } from '../support/dynatrace.js';
import { prefixes, sources, type Step } from './exports.js';
import { runProgram, type NodeProgram, type Part } from './processes.js';
import { postgresPart, s3Part, sshdPart, temporalPart } from './servers.js';

const landfall = fileURLToPath(new URL('../../dist/client/main.js', import.meta.url));
const root = 'account/raw_data/session_stream/';

export interface World {
  readonly folder: string;
  readonly pool: pg.Pool;
  /** Components that may be killed. */
  readonly parts: readonly Part[];
  readonly workers: readonly NodeProgram[];
  readonly receiver: NodeProgram;
  /** Uploads or sends one step, until it is taken. */
  readonly take: (step: Step) => Promise<void>;
  /** Runs `landfall …`. Throws when it fails. */
  readonly command: (...args: readonly string[]) => Promise<string>;
  /** Writes another configuration; processes that start from now on read it. */
  readonly configure: (variant: Variant) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** What may differ between two configurations. */
export interface Variant {
  readonly filesInFlight: number;
  readonly readers: number;
  /** A mask rule that only one of the configurations has. */
  readonly masked: boolean;
}

export const usual: Variant = { filesInFlight: 2, readers: 2, masked: false };

/** Brings everything up. `end` takes it down, also when something fails on the way. */
export async function bringUp(): Promise<World> {
  const ends: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    for (let next = ends.pop(); next !== undefined; next = ends.pop()) await next().catch(console.error);
  };
  try {
    return { ...(await bringUpParts(ends)), end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function bringUpParts(ends: (() => Promise<unknown>)[]): Promise<Omit<World, 'end'>> {
  await access(landfall).catch(() => {
    throw new Error(`${landfall} is missing. Build it first: npm run build`);
  });
  const folder = await mkdtemp(join(tmpdir(), 'landfall-chaos-'));
  await chmod(folder, 0o755);
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const keep = <T extends Part>(part: T): T => {
    ends.push(() => part.stop());
    return part;
  };
  const postgres = keep(await postgresPart(folder));
  const temporal = keep(await temporalPart(folder));
  const s3 = keep(await s3Part(folder));
  const sftp = await sshdPart(folder);
  if (sftp === undefined) throw new Error("There is no sshd: install OpenSSH's server, or set SSHD_PATH.");
  keep(sftp);

  const configPath = join(folder, 'landfall.yaml');
  const receiverPort = await freePort();
  const configure = async (variant: Variant): Promise<void> => {
    const settings = settingsOf(variant, { folder, receiverPort, postgres, s3, sftp });
    await writeFile(`${configPath}.new`, JSON.stringify(settings), { mode: 0o600 });
    await rename(`${configPath}.new`, configPath);
  };
  await configure(usual);
  const env = { TEMPORAL_ADDRESS: temporal.address, LANDFALL_LOG_LEVEL: 'warn', NODE_OPTIONS: '' };
  const command = async (...args: readonly string[]): Promise<string> => {
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [landfall, ...args, '--config', configPath], {
      env: { ...process.env, ...env },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    return stdout;
  };
  const pool = new pg.Pool({ connectionString: postgres.url, application_name: 'chaos', max: 4 });
  pool.on('error', () => undefined);
  ends.push(() => pool.end());
  await command('setup');

  const program = (name: string, answers: () => Promise<boolean>) => ({
    ...{ args: [landfall, name, '--config', configPath], env, logFile: join(folder, `${name}.log`), answers },
  });
  const workers = [];
  for (const number of [1, 2]) {
    // It answers by working: nothing waits for it.
    const worker = await runProgram(
      `worker ${number}`,
      program('worker', () => Promise.resolve(true)),
    );
    workers.push(keep(worker));
  }
  const url = `http://127.0.0.1:${receiverPort}`;
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  const receiver = keep(await runProgram('receiver', program('receiver', isUp)));

  const client = new S3Client({
    ...{ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  ends.push(() => {
    client.destroy();
    return Promise.resolve();
  });
  const takeOnce = async (step: Step): Promise<void> => {
    if (step.to === 's3') {
      const object = { Bucket: s3.bucket, Key: step.key, Body: step.bytes };
      await client.send(new PutObjectCommand(object), { abortSignal: AbortSignal.timeout(10_000) });
    } else if (step.to === 'sftp') {
      await putFile(join(sftp.server.files, root, step.key), step.bytes, step.modified);
    } else {
      const response = await fetch(`${url}/dynatrace/${sources.dynatrace}`, {
        ...{ method: 'PUT', body: step.body, signal: AbortSignal.timeout(10_000) },
        headers: { authorization: `Bearer ${dynatraceToken}` },
      });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`answered with ${response.status}`);
    }
  };
  return {
    ...{ folder, pool, command, configure, workers, receiver },
    parts: [postgres, temporal, s3, sftp, ...workers, receiver],
    take: async (step) => {
      for (;;) {
        try {
          await takeOnce(step);
          return;
        } catch {
          await setTimeout(200);
        }
      }
    },
  };
}

/** Whole at once, as after a rename. */
async function putFile(path: string, bytes: Uint8Array, modified: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = join(dirname(path), '.upload.part');
  await writeFile(part, bytes);
  await utimes(part, modified / 1_000, modified / 1_000);
  await rename(part, path);
}

interface Places {
  readonly folder: string;
  readonly receiverPort: number;
  readonly postgres: { readonly url: string };
  readonly s3: { readonly endpoint: string; readonly bucket: string };
  readonly sftp: NonNullable<Awaited<ReturnType<typeof sshdPart>>>;
}

function settingsOf(variant: Variant, { folder, receiverPort, postgres, s3, sftp }: Places): object {
  const { filesInFlight, readers, masked } = variant;
  const timing = {
    ...{ pollEvery: '1 second', discoverEvery: '2 seconds', heartbeatTimeout: '2 seconds' },
    ...{ filesInFlight, since: '2020-01-01', giveUpAfter: '10 days' },
  };
  const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const store = { type: 's3', bucket: s3.bucket, endpoint: s3.endpoint, forcePathStyle: true, ...keys };
  const { host, port, username, hostKeys, userKey } = sftp.server;
  const login = { type: 'sftp', host, port, username, hostKey: hostKeys.ed25519, privateKey: userKey };
  return {
    postgres: { url: postgres.url },
    receiver: { port: receiverPort },
    worker: { readers, memoryLimit: '128MB', shutdownGraceTime: '1 second', spoolDir: folder },
    sources: {
      [sources.optimizely]: {
        ...{ vendor: 'optimizely', store: { ...store, prefix: prefixes.optimizely }, ...timing },
        maskKey: 'a key of at least thirty-two bytes',
        ...(masked ? { mask: { visitor_id: 'hash' } } : {}),
        types: ['events'],
      },
      [sources.megaphone]: {
        ...{ vendor: 'megaphone', store: { ...store, prefix: prefixes.megaphone }, ...timing },
        ...{ settleFor: '2 seconds', auditFor: '30 days' },
      },
      [sources.leanplum]: {
        ...{ vendor: 'leanplum', store: { ...store, prefix: prefixes.leanplum }, ...timing },
      },
      [sources.monetate]: {
        ...{ vendor: 'monetate', store: { ...login, root }, ...timing },
        ...{ settleFor: '2 seconds', maskKey: 'a key of at least thirty-two bytes' },
      },
      [sources.dynatrace]: {
        ...{ vendor: 'dynatrace', auth: { bearer: dynatraceToken }, gatherWithin: '500 ms' },
        ...{ discoverEvery: '2 seconds', heartbeatTimeout: '2 seconds' },
      },
    },
  };
}
