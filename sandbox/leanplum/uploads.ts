/** When the files of jobs are uploaded, and the uploading itself: one after the other, each when it is due. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { brokenOff, type MadeFile, type MadeJob } from './job.js';
import type { Clock, Put } from '../megaphone/writes.js';

/** A job, and how its upload goes. */
export interface VendorJob {
  readonly job: MadeJob;
  /** The vendor's time of its first file, in epoch milliseconds. */
  readonly at: number;
  /** "The manifest will never arrive": its shards come, the last one cut, and nothing else does. Default false. */
  readonly breaksOff?: boolean;
  /** The vendor's hours from the last shard to the first manifest. Default a minute. */
  readonly manifestAfter?: number;
  /** The vendor's hours from the last manifest to the files that were withheld. Default: they never come. */
  readonly withheldAfter?: number;
}

export interface PlannedUpload {
  /** Epoch milliseconds. */
  readonly at: number;
  /** The job's uuid. */
  readonly job: string;
  readonly file: MadeFile;
}

export interface UploadedFile extends Pick<MadeFile, 'key' | 'kind' | 'role'> {
  /** The job's uuid. */
  readonly job: string;
  /** Of the file. */
  readonly bytes: number;
}

const minute = 60_000;
const hour = 60 * minute;

/** Every upload of these jobs in the order of time. A file of a job takes a minute. */
export function planUploads(jobs: readonly VendorJob[]): readonly PlannedUpload[] {
  return jobs.flatMap(planJob).sort((a, b) => a.at - b.at);
}

function planJob({
  job,
  at,
  breaksOff = false,
  manifestAfter = 0,
  withheldAfter,
}: VendorJob): PlannedUpload[] {
  let next = at;
  const plan = (file: MadeFile): PlannedUpload => {
    const planned = { at: next, job: job.uuid, file };
    next += minute;
    return planned;
  };
  if (breaksOff) return brokenOff(job).map(plan);
  const shards = job.files.filter(({ role }) => role === 'shard').map(plan);
  next += manifestAfter * hour;
  const manifests = job.files.filter(({ role }) => role === 'manifest').map(plan);
  next += (withheldAfter ?? 0) * hour;
  return [...shards, ...manifests, ...(withheldAfter === undefined ? [] : job.withheld.map(plan))];
}

export interface DueUpload extends Pick<PlannedUpload, 'job' | 'file'> {
  /** By the clock. What is overdue is uploaded at once. */
  readonly due: number;
}

export interface Uploading {
  readonly put: Put;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onUploaded: (file: UploadedFile) => void | Promise<void>;
}

/** Returns when everything is uploaded, or soon after the signal. Throws what `put` and `onUploaded` throw. */
export async function uploadWhenDue(
  uploads: readonly DueUpload[],
  { put, clock, signal, onUploaded }: Uploading,
): Promise<void> {
  if (uploads.length === 0) return;
  const folder = await mkdtemp(join(tmpdir(), 'landfall-leanplum-'));
  const path = join(folder, 'file');
  try {
    for (const { due, job, file } of uploads) {
      const wait = due - clock.now();
      if (wait > 0) await clock.sleep(wait, signal);
      if (signal.aborted) return;
      await writeFile(path, file.bytes);
      await put(file.key, path, signal);
      await onUploaded({ job, key: file.key, kind: file.kind, role: file.role, bytes: file.bytes.length });
    }
  } catch (error) {
    // Sleeping and putting end with an error of their own when they are interrupted.
    if (!signal.aborted) throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
