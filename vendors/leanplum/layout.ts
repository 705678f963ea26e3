/**
 * The key grammar of the export. Keys are relative to the store's root, and a job's files lie side by side in the folder
 * of the Pacific day on which it was started:
 *
 *     20190508/export-4842631999258612-37e812c0-d66e-48a2-8812-27ee12d58b58-output-0            JSON: a shard
 *     20190508/export-4842631999258612-37e812c0-d66e-48a2-8812-27ee12d58b58-output-manifest     and what lists them all
 *     20190508/export-4842631999258612-37e812c0-d66e-48a2-8812-27ee12d58b58-outputsessions-0    CSV: a kind of rows,
 *     20190508/export-4842631999258612-37e812c0-d66e-48a2-8812-27ee12d58b58-outputsessions-manifest    each with its own
 *
 * No file extension is documented, and compressed uploads are told by their first bytes. `.json`, `.csv` and `.gz` are
 * taken all the same; any other ending (`.tmp`, `.part`) is no file of a job.
 */

import { startOfDay } from '../../model/day.js';

/** "The file names contain the type of data included in them". In this order a job's manifests are spoken of. */
export const csvKinds = [
  'sessions',
  'experiments',
  'states',
  'events',
  'eventparameters',
  'userattributes',
] as const;

export type CsvKind = (typeof csvKinds)[number];

/** What the rows of a file are. */
export type Kind = 'json' | CsvKind;

export type ExportFormat = 'json' | 'csv';

export function formatOf(kind: Kind): ExportFormat {
  return kind === 'json' ? 'json' : 'csv';
}

/** The kinds of which a job has a manifest each. */
export function kindsOf(format: ExportFormat): readonly Kind[] {
  return format === 'json' ? ['json'] : csvKinds;
}

/** What the name of a job's file says. */
export interface JobFileName {
  /** The job's uuid, as the name writes it: it names the delivery, and is compared as it is. */
  readonly job: string;
  readonly kind: Kind;
  readonly role: 'manifest' | 'shard';
  /** The name itself, the key's last path component: what manifests are matched by. */
  readonly name: string;
}

export interface JobFile extends JobFileName {
  /** The Pacific day of the folder, `YYYY-MM-DD`: when the job was started. Says nothing of what is in the file. */
  readonly date: string;
}

const uuid = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const fileName = new RegExp(
  // The number between `export` and the uuid is the same for every file of a job; nothing says what it is.
  `^export-\\w+-(${uuid})-output([a-z]*)-(?:\\d+|(manifest))(?:\\.json|\\.csv)?(?:\\.gz)?$`,
);

/** What a key says; undefined for anything that is no file of a job. */
export function parseKey(key: string): JobFile | undefined {
  const slash = key.indexOf('/') + 1;
  const date = parseDateFolder(key.slice(0, slash));
  const file = parseName(key.slice(slash));
  return date === undefined || file === undefined ? undefined : { ...file, date };
}

/** The same for a last path component alone. */
export function parseName(name: string): JobFileName | undefined {
  const [, job, suffix = '', manifest] = fileName.exec(name) ?? [];
  const kind = suffix === '' ? 'json' : csvKinds.find((csvKind) => csvKind === suffix);
  if (job === undefined || kind === undefined) return undefined;
  return { job, kind, role: manifest === undefined ? 'shard' : 'manifest', name };
}

/** Whether `deleteDiscarded` may delete the object: a shard of that job, and nothing else. */
export function isShardOf(job: string, key: string): boolean {
  const file = parseKey(key);
  return file?.role === 'shard' && file.job === job;
}

/** What a delivery may be called below its source. */
export function isJob(name: string): boolean {
  return new RegExp(`^${uuid}$`).test(name);
}

/** The folder of the jobs that were started on a Pacific day, with its final slash. */
export function dateFolder(date: string): string {
  startOfDay(date);
  return `${date.replaceAll('-', '')}/`;
}

/** The day of a folder `20190508/`; undefined for any other folder and for what is no calendar day. */
export function parseDateFolder(folder: string): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})\/$/.exec(folder) ?? [];
  const date = `${year}-${month}-${day}`;
  try {
    startOfDay(date);
    return date;
  } catch {
    return undefined;
  }
}
