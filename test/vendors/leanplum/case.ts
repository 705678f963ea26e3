import type { Asked, Standing } from '../../../vendors/completion.js';
import type { JobClock } from '../../../vendors/leanplum/completion.js';
import type { Kind } from '../../../vendors/leanplum/layout.js';
import type { ListedFile } from '../../../vendors/leanplum/manifest.js';
import {
  sightJob,
  type JobObject,
  type JobSighting,
  type ReadManifest,
} from '../../../vendors/leanplum/sighting.js';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export const job = '37e812c0-d66e-48a2-8812-27ee12d58b58';
export const folder = '20261120/';

/** `20T14:30` is half past two (UTC) on 2026-11-20. */
export const at = (instant: string): number => Date.parse(`2026-11-${instant}:00Z`);
/** When the first file of the cases came. */
export const start = at('20T10:00');

export const nameOf = (kind: Kind, which: number | 'manifest', uuid = job): string =>
  `export-7-${uuid}-output${kind === 'json' ? '' : kind}-${which}`;

export const shard = (number: number, kind: Kind = 'json', more: Partial<JobObject> = {}): JobObject => ({
  key: `${folder}${nameOf(kind, number)}`,
  version: `s${number}`,
  size: 100,
  modified: start,
  ...more,
});

export interface Written {
  readonly object: JobObject;
  readonly read: ReadManifest;
}

/** A manifest and what it says, which is shards by number, files by name, or why it cannot be used. */
export function manifest(
  says: readonly (number | ListedFile)[] | string,
  kind: Kind = 'json',
  more: Partial<JobObject> = {},
): Written {
  const object = {
    key: `${folder}${nameOf(kind, 'manifest')}`,
    version: `m-${kind}`,
    ...{ size: 300, modified: start + hour },
    ...more,
  };
  const { key, version } = object;
  if (typeof says === 'string') return { object, read: { key, version, fault: says } };
  const files = says.map((file) => (typeof file === 'number' ? { name: nameOf(kind, file) } : file));
  return { object, read: { key, version, files } };
}

/** What a look finds where these lie. */
export function sight(...things: readonly (JobObject | Written)[]): JobSighting {
  return sightJob(
    job,
    things.map((thing) => ('object' in thing ? thing.object : thing)),
    things.flatMap((thing) => ('object' in thing ? [thing.read] : [])),
  );
}

export const fresh: Standing = { finality: 'waiting', published: false };
export const final: Standing = { finality: 'final', published: true, version: 'm-json' };
export const byRule: Standing = { finality: 'discarded', published: false, byRule: true };
export const byPerson: Standing = { finality: 'discarded', published: false };
export const failed: Standing = { finality: 'failed', published: false };

export const nobody: Asked = { accepted: false, force: false };
export const accepted: Asked = { accepted: true, force: false };
export const forced: Asked = { accepted: false, force: true };

/** As a source without settings of its own has it. */
export const clock = (instant: string | number, more: Partial<JobClock> = {}): JobClock => ({
  now: typeof instant === 'number' ? instant : at(instant),
  deadline: at('24T00:00'),
  waitingSince: start,
  pollEvery: 15 * minute,
  discardAfter: day,
  uploadGrace: 2 * hour,
  ...more,
});
