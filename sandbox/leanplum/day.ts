/** A day of a Leanplum that has everything happen that its page speaks of. */

import { startOfDay } from '../../model/day.js';
import { makeJob, type JobToMake } from './job.js';
import { mergeRows, type LeanplumRows } from './rows.js';
import { makeSessions } from './sessions.js';
import type { VendorJob } from './uploads.js';
import { inventedUuid } from '../megaphone/rows.js';

export interface LeanplumDayToMake {
  /** Pacific day, `YYYY-MM-DD`: the folder of the jobs. */
  readonly date: string;
  /** Default `sample`. */
  readonly seed?: string;
  /** Of an ordinary job. Default 120. */
  readonly sessions?: number;
}

export interface LeanplumDay {
  readonly jobs: Readonly<Record<LeanplumJobName, VendorJob>>;
  /** What the tables hold when everything has come and is loaded. */
  readonly rows: LeanplumRows;
}

/** In the order in which they start, four hours apart. */
export const leanplumJobNames = ['json', 'csv', 'brokenOff', 'again', 'lateManifest', 'lateShard'] as const;

/**
 * - `json`, `csv`: ordinary ones, the latter compressed
 * - `brokenOff`: its manifest never comes
 * - `again`: "the next successful scheduled export job will include all sessions from previously failed exports", which
 *   have grown meanwhile, and as many new ones
 * - `lateManifest`: comes three hours after its last shard
 * - `lateShard`: a listed shard comes an hour after the manifest
 */
export type LeanplumJobName = (typeof leanplumJobNames)[number];

const hour = 3_600_000;

export function makeLeanplumDay({
  date,
  seed = 'sample',
  sessions: count = 120,
}: LeanplumDayToMake): LeanplumDay {
  // "In PST": Pacific midnight is at 08:00Z.
  const midnight = startOfDay(date) + 8 * hour;
  const startOf = (turn: number): number => midnight + (1 + turn * 4) * hour;
  const sessions = (turn: number, version = 1): JobToMake['sessions'] =>
    makeSessions({ seed: `${seed} ${date}`, from: turn * count, count, until: startOf(turn), version });
  const job = (turn: number, more: Partial<JobToMake> = {}): Pick<VendorJob, 'at' | 'job'> => ({
    at: startOf(turn),
    job: makeJob({
      uuid: inventedUuid(`leanplum ${seed} ${date} ${turn}`),
      ...{ date, sessions: sessions(turn), shards: 3 },
      ...more,
    }),
  });
  const jobs = {
    json: job(0),
    csv: job(1, { format: 'csv', shards: 2, gzip: true }),
    brokenOff: { ...job(2), breaksOff: true },
    again: job(3, { sessions: [...sessions(2, 2), ...sessions(3)], gzip: true, manifest: 'keys' }),
    lateManifest: { ...job(4, { manifest: 'sizes' }), manifestAfter: 3 },
    lateShard: { ...job(5, { withheld: ['-1'], manifest: 'wrapped' }), withheldAfter: 1 },
  };
  const loaded = Object.values(jobs).filter((one) => one !== jobs.brokenOff);
  return { jobs, rows: mergeRows(...loaded.map((one) => one.job.rows)) };
}
