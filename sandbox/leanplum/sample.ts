/**
 * The sample of `npm start`: jobs of yesterday and today, one of which broke off and is discarded before long, while what
 * it held has come with the job after it. One more job gets its manifest while people watch.
 */

import { readFile, rename, writeFile } from 'node:fs/promises';

import { z } from 'zod';

import { addDays } from '../../model/day.js';
import { pacificDay } from '../../vendors/leanplum/pacific.js';
import { openBucket } from '../bucket.js';
import { brokenOff, makeJob, type JobToMake, type MadeFile, type MadeJob } from './job.js';
import type { Session } from './session.js';
import { makeSessions } from './sessions.js';
import { uploadWhenDue, type DueUpload, type UploadedFile } from './uploads.js';
import type { Leanplum } from './vendor.js';
import { inventedUuid } from '../megaphone/rows.js';
import { untilStopped } from '../megaphone/vendor.js';
import { realClock, type Clock } from '../megaphone/writes.js';
import { pace } from '../pace.js';
import type { Progress } from '../progress.js';
import type { SandboxS3 } from '../s3.js';

/** The bucket that the S3 server has to make. Files lie at its root. */
export const leanplumBucket = 'leanplum-sample';

const description = z.object({
  bucket: z.string(),
  /** Epoch milliseconds of the first start: sessions lie before it. */
  now: z.number(),
  /** What was put, in that order. */
  keys: z.array(z.string()),
});
type Remembered = z.output<typeof description>;

export interface LeanplumSampleRequest {
  readonly server: Omit<SandboxS3, 'stop'>;
  /** Remembers what was put into the bucket, so that a second start finds the same files. */
  readonly memory: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Milliseconds after which the last job's manifest comes. Default 10,000. */
  readonly manifestAfter?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly progress: Progress;
}

export interface SampleJob {
  readonly uuid: string;
  /** Its folder, a Pacific day, `YYYY-MM-DD`. */
  readonly date: string;
  /** What becomes of it, where `discardAfter` is shorter than people wait. */
  readonly outcome: 'final' | 'discarded';
}

export interface LeanplumSample extends Pick<Leanplum, 'written' | 'done' | 'stop'> {
  readonly bucket: string;
  /** First and last folder. */
  readonly from: string;
  readonly to: string;
  /** In the order in which they were started. The last one is complete when `done` is. */
  readonly jobs: readonly SampleJob[];
}

/**
 * Fills the bucket, and returns when everything but the last job's manifest is there; this comes by itself, and
 * always before a listing that is made after its time. A second start puts what an earlier one did not come to.
 */
export async function sampleLeanplum(request: LeanplumSampleRequest): Promise<LeanplumSample> {
  const { manifestAfter = 10_000 } = request;
  const { clock, caughtUp, finish } = pace(request.clock ?? realClock);
  const memory = `${request.memory}.${leanplumBucket}.json`;
  const remembered = await recall(memory, request.now);
  const { bucket, now } = remembered;
  const target = openBucket(request.server, bucket);
  const written: UploadedFile[] = [];
  const upload = (uploads: readonly DueUpload[], signal: AbortSignal): Promise<void> =>
    uploadWhenDue(uploads, {
      put: target.put,
      clock,
      signal,
      onUploaded: async (file) => {
        written.push(file);
        remembered.keys.push(file.key);
        await keep(memory, remembered);
      },
    });

  const jobs = makeSampleJobs(now);
  const last = jobs.at(-1);
  const uploads = jobs
    .flatMap(({ uuid, files }) => files.map((file): DueUpload => ({ job: uuid, file, due: 0 })))
    .filter(({ file }) => !remembered.keys.includes(file.key));
  const isLate = ({ job, file }: DueUpload): boolean => job === last?.uuid && file.role === 'manifest';
  const atOnce = uploads.filter((one) => !isLate(one));
  if (atOnce.length > 0) request.progress('Puts the made-up sessions of an app into a bucket');
  await upload(atOnce, request.signal ?? new AbortController().signal).catch((error: unknown) => {
    target.close();
    throw error;
  });

  request.server.watch(bucket, { listing: caughtUp });
  const running = untilStopped(request.signal, async (signal) => {
    const due = clock.now() + manifestAfter;
    try {
      await upload(
        uploads.filter(isLate).map((one) => ({ ...one, due })),
        signal,
      );
    } finally {
      finish();
      target.close();
    }
  });
  return {
    ...{ bucket, from: yesterdayOf(now), to: pacificDay(now), written },
    jobs: jobs.map(({ uuid, date, outcome }) => ({ uuid, date, outcome })),
    ...running,
  };
}

interface JobToPut extends SampleJob {
  readonly files: readonly MadeFile[];
}

/** 3,900 sessions in the end, 400 of which are in two jobs. */
function makeSampleJobs(now: number): readonly JobToPut[] {
  const hour = 3_600_000;
  const [yesterday, today] = [yesterdayOf(now), pacificDay(now)];
  /** Sessions by their numbers, which became available some hours before now. */
  const sessions = (from: number, count: number, hoursAgo: number, version = 1): readonly Session[] =>
    makeSessions({ from, count, until: now - hoursAgo * hour, version });
  const job = (number: number, more: Pick<JobToMake, 'date' | 'sessions'> & Partial<JobToMake>): MadeJob =>
    makeJob({ uuid: inventedUuid(`leanplum sample ${number}`), shards: 2, ...more });
  const final = ({ uuid, date, files }: MadeJob): JobToPut => ({ uuid, date, outcome: 'final', files });

  const failed = job(3, { date: yesterday, sessions: sessions(1_800, 400, 12) });
  // "The next successful scheduled export job will include all sessions from previously failed exports."
  const again = [...sessions(1_800, 400, 12, 2), ...sessions(2_200, 500, 8)];
  return [
    final(job(1, { date: yesterday, sessions: sessions(0, 1_000, 24), gzip: true })),
    final(job(2, { date: yesterday, sessions: sessions(1_000, 800, 18), format: 'csv', shards: 1 })),
    { uuid: failed.uuid, date: failed.date, outcome: 'discarded', files: brokenOff(failed) },
    final(job(4, { date: today, sessions: again, gzip: true, manifest: 'sizes' })),
    final(job(5, { date: today, sessions: sessions(2_700, 600, 4), manifest: 'wrapped' })),
    final(job(6, { date: today, sessions: sessions(3_300, 600, 1), manifest: 'keys' })),
  ];
}

function yesterdayOf(now: number): string {
  return addDays(pacificDay(now), -1);
}

async function recall(memory: string, now: number): Promise<Remembered> {
  const earlier = await readFile(memory, 'utf8').catch(() => undefined);
  if (earlier !== undefined) return description.parse(JSON.parse(earlier));
  return { bucket: leanplumBucket, now, keys: [] };
}

/** Exchanged as a whole: a start that was killed meanwhile leaves a memory that the next can read. */
async function keep(memory: string, remembered: Remembered): Promise<void> {
  await writeFile(`${memory}.new`, JSON.stringify(remembered));
  await rename(`${memory}.new`, memory);
}
