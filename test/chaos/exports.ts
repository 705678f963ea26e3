/** What the five vendors deliver in a chaos run: small, made once, and the same in every run. */

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { addDays, dayOf } from '../../model/day.js';
import { makeJob } from '../../sandbox/leanplum/job.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { metricsKey, writeMetricsDay } from '../../sandbox/megaphone/day.js';
import { planFiles } from '../../sandbox/monetate/day.js';
import { fileLines, gzipLines } from '../../sandbox/monetate/files.js';
import { writeDay } from '../../sandbox/optimizely/day.js';
import { session } from '../support/dynatrace.js';

/** One upload or request. Those of one vendor come in this order. */
export type Step =
  | {
      readonly to: 's3';
      readonly key: string;
      readonly bytes: Uint8Array;
    }
  | {
      readonly to: 'sftp';
      readonly key: string;
      readonly bytes: Uint8Array;
      readonly modified: number;
    }
  | { readonly to: 'receiver'; readonly body: string };

export interface Exports {
  /** By vendor. */
  readonly steps: readonly (readonly Step[])[];
  /** Ids of deliveries that end as final, by the vendor's rule. */
  readonly final: readonly string[];
  /** MD5 of what the last version of Megaphone's file holds: its ETag. */
  readonly lastMetrics: string;
  /** Files of Monetate. */
  readonly visitFiles: number;
  /** Sessions that Dynatrace sends, however often. */
  readonly userSessions: number;
}

export const sources = {
  optimizely: 'experiments',
  megaphone: 'podcasts',
  leanplum: 'sessions',
  monetate: 'visits',
  dynatrace: 'rum',
} as const;

export const prefixes = {
  optimizely: 'v1/account_id=1/',
  megaphone: 'podcasts/',
  leanplum: 'jobs/',
} as const;

const jobs = {
  older: '11111111-d66e-48a2-8812-27ee12d58b58',
  newer: '22222222-d66e-48a2-8812-27ee12d58b58',
} as const;

/** Makes the exports of the days before `now` (epoch ms). */
export async function makeExports(now: number): Promise<Exports> {
  const day = addDays(dayOf(now), -3);
  const folder = await mkdtemp(join(tmpdir(), 'landfall-chaos-exports-'));
  try {
    const optimizely = await optimizelyDay(folder, day);
    const megaphone = await megaphoneDay(folder, day);
    const leanplum = leanplumJobs(day);
    const monetate = await monetateDay(day);
    const dynatrace = userSessions();
    return {
      steps: [optimizely, megaphone.steps, leanplum, monetate, dynatrace.steps],
      final: [
        `${sources.optimizely}/events/${day}`,
        `${sources.megaphone}/${day}`,
        `${sources.leanplum}/${jobs.older}`,
        `${sources.leanplum}/${jobs.newer}`,
        `${sources.monetate}/${day}`,
        // With the night of that day in it.
        `${sources.monetate}/${addDays(day, 1)}`,
      ],
      lastMetrics: megaphone.last,
      visitFiles: monetate.length,
      userSessions: dynatrace.count,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function optimizelyDay(folder: string, date: string): Promise<Step[]> {
  const directory = join(folder, 'optimizely');
  const flaws = { nulCharacter: 3, outOfRange: 2, duplicatesWithin: 4, duplicatesAcross: 5 };
  await writeDay({ directory, type: 'events', date, rows: 1_500, parts: 6, flaws });
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  // The marker comes last, as it does at the vendor's.
  paths.sort((a, b) => Number(a.endsWith('/_SUCCESS')) - Number(b.endsWith('/_SUCCESS')) || (a < b ? -1 : 1));
  return Promise.all(
    paths.map(async (path) => ({
      to: 's3' as const,
      key: prefixes.optimizely + relative(directory, path),
      bytes: await readFile(path),
    })),
  );
}

async function megaphoneDay(folder: string, date: string): Promise<{ steps: Step[]; last: string }> {
  const path = join(folder, 'metrics');
  const versions: Uint8Array[] = [];
  for (const version of [10, 20, 28]) {
    await writeMetricsDay({ path, date, rows: 1_200, version, flaws: { untypedNumber: 3, duplicateId: 4 } });
    versions.push(await readFile(path));
  }
  const last = createHash('md5')
    .update(versions.at(-1) ?? '')
    .digest('hex');
  const key = prefixes.megaphone + metricsKey(date);
  return { steps: versions.map((bytes) => ({ to: 's3', key, bytes })), last };
}

/** The older job comes last. Both have some of the sessions, with other values. */
function leanplumJobs(date: string): Step[] {
  const until = Date.parse(`${date}T12:00:00Z`);
  const newer = makeSessions({ count: 200, until });
  const older = makeSessions({ count: 120, until }).map((one) => ({ ...one, priorEvents: 1n }));
  const upload = (uuid: string, folder: string, sessions: typeof newer): Step[] =>
    makeJob({ uuid, date: folder, sessions, shards: 3 }).files.map(({ key, bytes }) => ({
      to: 's3' as const,
      key: prefixes.leanplum + key,
      bytes,
    }));
  return [...upload(jobs.newer, addDays(date, 1), newer), ...upload(jobs.older, date, older)];
}

async function monetateDay(date: string): Promise<Step[]> {
  const files = planFiles([{ date, sessions: 60 }], { filesPerInterval: 1 });
  return Promise.all(
    files.map(async (file) => ({
      to: 'sftp' as const,
      key: file.key,
      bytes: await gzipLines(fileLines(file)),
      modified: file.at,
    })),
  );
}

/** Bodies of 20 sessions. Some sessions come again later, with one action more. */
function userSessions(): { steps: Step[]; count: number } {
  const body = (first: number, actions: number): Step => ({
    to: 'receiver',
    body: Array.from({ length: 20 }, (_, index) =>
      session(first + index, {
        endTime: Date.parse('2026-11-20T11:00:00Z') + actions,
        userActions: Array.from({ length: actions }, (__, action) => ({ name: `action ${action}` })),
      }),
    ).join('\n'),
  });
  const first = Array.from({ length: 8 }, (_, index) => body(index * 20, 2));
  const again = Array.from({ length: 3 }, (_, index) => body(index * 40 + 10, 3));
  return { steps: [...first, ...again], count: 160 };
}
