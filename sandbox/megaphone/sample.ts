/**
 * The sample of `npm start`: three days, of which the last one is still growing. Its file is overwritten a few times,
 * seconds apart, and then stands still, so that a day is seen to go from provisional to final within a minute.
 */

import { readFile, rename, writeFile } from 'node:fs/promises';

import { z } from 'zod';

import { addDays, dayOf } from '../../model/day.js';
import { openBucket } from '../bucket.js';
import { filesOf, type VendorDay } from './schedule.js';
import { untilStopped, type Megaphone } from './vendor.js';
import { finalVersion } from './versions.js';
import { realClock, writeWhenDue, type Clock, type DueWrite, type WrittenFile } from './writes.js';
import type { Progress } from '../progress.js';
import type { S3Server } from '../s3.js';

/** The bucket that the S3 server has to make. Files lie at its root. */
export const megaphoneBucket = 'megaphone-sample';

const description = z.object({
  bucket: z.string(),
  /** First and last day. */
  from: z.string(),
  to: z.string(),
  /** Key to the version that was put last. */
  versions: z.record(z.string(), z.number()),
});
type Remembered = z.output<typeof description>;

export interface MegaphoneSampleRequest {
  readonly server: Pick<S3Server, 'endpoint' | 'accessKeyId' | 'secretAccessKey'>;
  /** Remembers what was put into the bucket, so that a second start finds the same files. */
  readonly memory: string;
  /** Epoch milliseconds. The last day is the most recent one that is over since 04:30Z. */
  readonly now: number;
  /** Milliseconds between two versions of the last day. Default 8,000. */
  readonly rewriteEvery?: number;
  /** Versions of the last day, the first of which is there from the start. */
  readonly versions?: readonly number[];
  /** Default false. */
  readonly impressions?: boolean;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly progress: Progress;
}

export interface MegaphoneSample extends Pick<Megaphone, 'written' | 'done' | 'stop'> {
  readonly bucket: string;
  readonly from: string;
  readonly to: string;
}

/** The last day whose 04:30Z of the next morning has passed. */
export function lastFinalDay(now: number): string {
  return addDays(dayOf(now - 4.5 * 3_600_000), -1);
}

/**
 * Fills the bucket, and returns when a file of each day is there; the last day's is overwritten from then on. A second
 * start goes on where an earlier one was stopped, and writes nothing where it had come to its end.
 */
export async function sampleMegaphone(request: MegaphoneSampleRequest): Promise<MegaphoneSample> {
  const { clock = realClock, rewriteEvery = 8_000, versions = [18, 22, 25, finalVersion] } = request;
  const memory = `${request.memory}.${megaphoneBucket}.json`;
  const remembered = await recall(memory, request.now);
  const { bucket, from, to } = remembered;
  const target = openBucket(request.server, bucket);
  const written: WrittenFile[] = [];
  const write = (writes: readonly DueWrite[], signal: AbortSignal): Promise<void> =>
    writeWhenDue(writes, {
      put: target.put,
      clock,
      signal,
      onWritten: async (file) => {
        written.push(file);
        remembered.versions[file.key] = file.version;
        await keep(memory, remembered);
      },
    });

  const days = daysUntil(to, request.impressions ?? false);
  /** A version of a day's files, without those that an earlier start has put. */
  const missing = (date: string, version: number): DueWrite[] =>
    days
      .filter((day) => day.date === date)
      .flatMap((day) => filesOf(day).map((file) => ({ ...file, day, version, due: 0 })))
      .filter(({ key }) => version > (remembered.versions[key] ?? 0));

  const [first = finalVersion, ...later] = versions;
  const atOnce = days.flatMap(({ date }) => missing(date, date === to ? first : finalVersion));
  if (atOnce.length > 0) request.progress('Puts the made-up files of a podcast network into a bucket');
  await write(atOnce, request.signal ?? new AbortController().signal).catch((error: unknown) => {
    target.close();
    throw error;
  });

  const running = untilStopped(request.signal, async (signal) => {
    const begun = clock.now();
    const turns = later.map((version) => missing(to, version)).filter((files) => files.length > 0);
    const due = (turn: number): number => begun + (turn + 1) * rewriteEvery;
    try {
      await write(
        turns.flatMap((files, turn) => files.map((file) => ({ ...file, due: due(turn) }))),
        signal,
      );
    } finally {
      target.close();
    }
  });
  return { bucket, from, to, written, ...running };
}

/** A few rows of the first day cannot be loaded and a few come twice: a load has to say so. */
function daysUntil(last: string, impressions: boolean): readonly VendorDay[] {
  return [
    {
      date: addDays(last, -2),
      rows: 1_500,
      impressions,
      flawsOf: () => ({ malformedJson: 1, untypedNumber: 1, duplicateId: 3, unknownKey: 2, blankLine: 1 }),
    },
    { date: addDays(last, -1), rows: 1_200, impressions },
    { date: last, rows: 1_800, impressions },
  ];
}

async function recall(memory: string, now: number): Promise<Remembered> {
  const earlier = await readFile(memory, 'utf8').catch(() => undefined);
  if (earlier !== undefined) return description.parse(JSON.parse(earlier));
  const to = lastFinalDay(now);
  return { bucket: megaphoneBucket, from: addDays(to, -2), to, versions: {} };
}

/** Exchanged as a whole: a start that was killed meanwhile leaves a memory that the next can read. */
async function keep(memory: string, remembered: Remembered): Promise<void> {
  await writeFile(`${memory}.new`, JSON.stringify(remembered));
  await rename(`${memory}.new`, memory);
}
