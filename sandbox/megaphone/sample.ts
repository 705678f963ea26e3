/**
 * The sample of `npm start`: three days, of which the last one is still growing. Its file is overwritten a few times, seconds
 * apart and each time when the version before has been read, and then stands still, so that a day is seen to go from
 * provisional to final within a minute, and on a busy machine within a few.
 */

import { readFile, rename, writeFile } from 'node:fs/promises';

import { z } from 'zod';

import { addDays, dayOf } from '../../model/day.js';
import { openBucket } from '../bucket.js';
import { filesOf, type VendorDay } from './schedule.js';
import { untilStopped, type Megaphone } from './vendor.js';
import { finalVersion } from './versions.js';
import { realClock, writeWhenDue, type Clock, type DueWrite, type WrittenFile } from './writes.js';
import { pace } from '../pace.js';
import type { Progress } from '../progress.js';
import type { SandboxS3 } from '../s3.js';

/** The bucket that the S3 server has to make. Files lie at its root. */
export const megaphoneBucket = 'megaphone-sample';

const description = z.object({
  bucket: z.string(),
  /** First and last day. */
  from: z.string(),
  to: z.string(),
  /** Key to the version that was put last. */
  versions: z.record(z.string(), z.number()),
  /** Keys of the last day's files that nobody has read since they were put. */
  unread: z.array(z.string()).default([]),
});
type Remembered = z.output<typeof description>;

export interface MegaphoneSampleRequest {
  readonly server: Omit<SandboxS3, 'stop'>;
  /** Remembers what was put into the bucket, so that a second start finds the same files. */
  readonly memory: string;
  /** Epoch milliseconds. The last day is the most recent one that is over since 04:30Z. */
  readonly now: number;
  /** Milliseconds between two versions of the last day, at least. Default 8,000. */
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
 * Fills the bucket, and returns when a file of each day is there; the last day's is overwritten from then on, never before
 * somebody has read it, and always before the next listing is answered. A second start goes on where an earlier one was stopped, and
 * writes nothing where it had come to its end.
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
  remembered.unread.push(...atOnce.filter(({ day }) => day.date === to).map(({ key }) => key));
  if (atOnce.length > 0) request.progress('Puts the made-up files of a podcast network into a bucket');
  await write(atOnce, request.signal ?? new AbortController().signal).catch((error: unknown) => {
    target.close();
    throw error;
  });

  const { clock: paced, held, caughtUp, finish } = pace(clock);
  let noticed: () => void = () => undefined;
  request.server.watch(bucket, {
    listing: caughtUp,
    read: (key) => {
      if (!remembered.unread.includes(key)) return;
      remembered.unread = remembered.unread.filter((other) => other !== key);
      noticed();
    },
  });
  /** Settles when what lies there of a day has been read. */
  const allRead = async (files: readonly DueWrite[], signal: AbortSignal): Promise<void> => {
    const { release, released } = held(signal);
    noticed = () => {
      if (!files.some(({ key }) => remembered.unread.includes(key))) release();
    };
    noticed();
    await released;
    await keep(memory, remembered);
  };
  const running = untilStopped(request.signal, async (signal) => {
    const turns = later.map((version) => missing(to, version)).filter((files) => files.length > 0);
    let put = clock.now();
    try {
      for (const files of turns) {
        await allRead(files, signal);
        const wait = put + rewriteEvery - clock.now();
        if (wait > 0) await paced.sleep(wait, signal);
        remembered.unread.push(...files.map(({ key }) => key));
        await write(files, signal);
        put = clock.now();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      finish();
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
  return { bucket: megaphoneBucket, from: addDays(to, -2), to, versions: {}, unread: [] };
}

/** Exchanged as a whole: a start that was killed meanwhile leaves a memory that the next can read. */
async function keep(memory: string, remembered: Remembered): Promise<void> {
  await writeFile(`${memory}.new`, JSON.stringify(remembered));
  await rename(`${memory}.new`, memory);
}
