/**
 * The sample of `npm start`: a metadata API, and an SFTP server with two days. The first is whole, but for what the second one's morning brings
 * of it; that lies there, too. The second day's afternoon comes while people watch, on a fast clock, and then nothing more:
 * the day is seen to go from provisional to final within a minute.
 */

import { generateKeyPair, randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { z } from 'zod';

import { addDays, dayOf, startOfDay } from '../../model/day.js';
import { untilStopped } from '../megaphone/vendor.js';
import { realClock, type Clock } from '../megaphone/writes.js';
import { pace } from '../pace.js';
import type { Progress } from '../progress.js';
import { newHostKey, startSftpServer, type SftpServer } from '../sftp-server.js';
import { startMonetateApi, type MonetateApiServer } from './api.js';
import { planFiles } from './day.js';
import { quarter, storeRoot, writeFiles, type MonetateFile, type WrittenFile } from './files.js';
import { badLines, planWrites } from './flaws.js';
import { planSteps, uploadWhenDue } from './uploads.js';
import type { Monetate } from './vendor.js';

const description = z.object({
  /** Last day. */
  to: z.string(),
  /** What is whole. */
  keys: z.array(z.string()),
  /** Private, in OpenSSH's form. */
  hostKey: z.string(),
  password: z.string(),
  maskKey: z.string(),
});
type Remembered = z.output<typeof description>;

export interface MonetateSampleRequest {
  /** What the server is to serve. */
  readonly directory: string;
  /** Remembers what was written, so that a second start finds the same files. */
  readonly memory: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Milliseconds that a quarter of an hour of the second afternoon takes. Default 450: 21 s in all. */
  readonly quarterLasts?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly progress: Progress;
}

/** `stop` stops the servers too. */
export interface MonetateSample extends Pick<Monetate, 'written' | 'done' | 'stop'> {
  readonly server: SftpServer;
  readonly username: string;
  readonly password: string;
  /** The files' folder on the server. */
  readonly root: string;
  /** By which a source is let into the metadata API, and where that is. */
  readonly metadata: {
    readonly account: string;
    readonly username: string;
    /** PEM. */
    readonly privateKey: string;
    readonly url: string;
  };
  /** For the hashes of what is personal: the same at every start. */
  readonly maskKey: string;
  readonly from: string;
  readonly to: string;
  /** Everything that is to land. */
  readonly files: readonly MonetateFile[];
}

const username = 'landfall';
const hour = 3_600_000;
/** When the last session of a day has ended on the next one, and the vendor has written it. */
const noon = 12.5 * hour + quarter;

/** The last day of which no session can come any more. */
export function lastClosedDay(now: number): string {
  return addDays(dayOf(now - 12.5 * hour), -1);
}

/**
 * Starts the server, and returns when all but the second afternoon is there; that comes by itself. A second start writes
 * what an earlier one did not come to.
 */
export async function sampleMonetate(request: MonetateSampleRequest): Promise<MonetateSample> {
  const { directory, quarterLasts = 450 } = request;
  const { clock, caughtUp, finish } = pace(request.clock ?? realClock);
  const memory = `${request.memory}.monetate.json`;
  const remembered = await recall(memory, request.now);
  const { to, password, maskKey } = remembered;
  const written: WrittenFile[] = [];
  const onWritten = async (...files: readonly WrittenFile[]): Promise<void> => {
    written.push(...files);
    remembered.keys.push(...files.map(({ key }) => key));
    await keep(memory, remembered);
  };

  const files = filesUntil(to);
  const missing = files.filter(({ key }) => !remembered.keys.includes(key));
  const startAt = startOfDay(to) + noon;
  const atOnce = missing.filter(({ at }) => at < startAt);
  if (atOnce.length > 0) {
    request.progress("Puts the made-up sessions of a shop's visitors onto an SFTP server");
    await onWritten(...(await writeFiles(directory, atOnce)));
  }
  const server = await startSftpServer({
    directory,
    hostKey: remembered.hostKey,
    users: [{ username, password }],
    // Who looks sees everything that was due by then: on a busy machine too the afternoon has no gaps.
    hooks: { request: ({ kind }) => (kind === 'opendir' ? caughtUp().then(() => undefined) : undefined) },
  });
  const { api, metadata } = await startNames();

  const later = missing.filter(({ at }) => at >= startAt);
  const begun = clock.now();
  const first = later[0]?.at ?? startAt;
  const steps = planSteps(
    later.map((file) => ({ file, ends: true })),
    { directory, lasts: 60_000, strangers: false },
  ).map(({ at, act }) => ({ act, due: begun + ((at - first) * quarterLasts) / quarter }));
  const running = untilStopped(request.signal, (signal) =>
    uploadWhenDue(steps, { clock, signal, onWritten }).finally(finish),
  );
  return {
    ...{ server, username, password, maskKey, root: storeRoot, from: addDays(to, -1), to, files, written },
    metadata,
    done: running.done,
    stop: () => running.stop().finally(() => Promise.all([server.stop(), api.stop()])),
  };
}

/** The metadata API beside it, with a key of its own. */
async function startNames(): Promise<{ api: MonetateApiServer; metadata: MonetateSample['metadata'] }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const user = { account: 'sandbox', username: 'api-sandbox' };
  const api = await startMonetateApi({ ...user, publicKey });
  return { api, metadata: { ...user, privateKey, url: api.url } };
}

/** Some sessions of the first day come twice, and a line of it cannot be loaded: a load has to say so. */
function filesUntil(to: string): readonly MonetateFile[] {
  const from = addDays(to, -1);
  const planned = planFiles([
    { date: from, sessions: 2_400, unknownKeys: true },
    // Nothing of it is left for a day that is not there.
    { date: to, sessions: 1_800, overnight: false },
  ]);
  const evening = startOfDay(from) + 20 * hour;
  const writes = planWrites(planned, [{ flaw: 'repeated', interval: evening }]);
  const flawed = planned.find(({ interval }) => interval === evening + quarter);
  return writes.map(({ file }) =>
    file.key === flawed?.key ? { ...file, badLines: badLines.slice(0, 1) } : file,
  );
}

async function recall(memory: string, now: number): Promise<Remembered> {
  const earlier = await readFile(memory, 'utf8').catch(() => undefined);
  if (earlier !== undefined) return description.parse(JSON.parse(earlier));
  const secret = (): string => randomBytes(32).toString('hex');
  return {
    ...{ to: lastClosedDay(now), keys: [] },
    ...{ hostKey: newHostKey(), password: secret(), maskKey: secret() },
  };
}

/** Exchanged as a whole: a start that was killed meanwhile leaves a memory that the next can read. */
async function keep(memory: string, remembered: Remembered): Promise<void> {
  await writeFile(`${memory}.new`, JSON.stringify(remembered), { mode: 0o600 });
  await rename(`${memory}.new`, memory);
}
