/**
 * The results of an export that was asked for, as the files of a job. The API gives them a name each, as the automatic
 * export does, and no folder and no manifest:
 *
 *     export-4727756026281984-d5969d55-f242-48a6-85a3-165af08e2306-output-0
 *     export-5094741967896576-60c43e66-30fe-4e21-9bbd-563d2749b96f-outputsessions-0
 *
 * The list that it gives stands for the manifests: it comes when the job is finished.
 */

import { dateFolder, formatOf, kindsOf, parseKey, parseName, type ExportFormat } from './layout.js';

/** "You cannot export data that has become available more than 60 days ago." */
export const exportsReachBack = 60;

/** What people have to know of exports, in errors and in help. */
export const exportLimits =
  'Leanplum takes 24 exports of an app in a day, looks 60 days back, and keeps their files for 24 hours.';

export interface ExportedJob {
  /** Its uuid, which names the delivery. */
  readonly job: string;
  readonly format: ExportFormat;
}

/** The job that files of these names belong to. Throws an Error with a sentence where they are not those of one job. */
export function jobOf(names: readonly string[]): ExportedJob {
  const [first, ...more] = names.map((name) => {
    const file = parseName(name);
    if (file?.role !== 'shard') throw new Error(`Its file '${name}' is not named as files of an export are.`);
    return { job: file.job, format: formatOf(file.kind) };
  });
  if (!first) throw new Error('It has no files.');
  const other = more.find(({ job }) => job !== first.job);
  if (other) throw new Error(`Its files are of several jobs: ${first.job} and ${other.job}.`);
  if (more.some(({ format }) => format !== first.format)) throw new Error('It has files of both formats.');
  return first;
}

/** The key of a file as if it lay in the folder of a day. */
export function keyOf(date: string, name: string): string {
  return dateFolder(date) + name;
}

export interface MadeManifest {
  readonly key: string;
  readonly text: string;
}

/** The manifests that a job of these files would have: of CSV one for each kind, whether there are files of it or not. */
export function manifestsFor(date: string, names: readonly string[]): readonly MadeManifest[] {
  const { format } = jobOf(names);
  const [sample = ''] = names;
  return kindsOf(format).map((kind) => {
    const suffix = kind === 'json' ? '' : kind;
    const name = sample.replace(/-output[a-z]*-[^/]*$/, `-output${suffix}-manifest`);
    const listed = names.filter((shard) => parseName(shard)?.kind === kind);
    return { key: keyOf(date, name), text: JSON.stringify(listed) };
  });
}

/** Where copies lie. */
export interface CopiedJob {
  readonly job: string;
  readonly date: string;
}

/**
 * The job and day under which copies with these keys are found below the store's root; undefined where they do not all
 * lie in the folder of one day, as those of the automatic export do.
 */
export function placeOfCopies(root: string, keys: readonly string[]): CopiedJob | undefined {
  const files = keys.map((key) => (key.startsWith(root) ? parseKey(key.slice(root.length)) : undefined));
  const [first] = files;
  if (!first) return undefined;
  const together = files.every((file) => file?.job === first.job && file.date === first.date);
  return together ? { job: first.job, date: first.date } : undefined;
}
