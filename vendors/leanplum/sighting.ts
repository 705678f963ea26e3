/** What a look at a job's files finds. Pure: the listing and the manifests' contents come from outside. */

import type { Marker, Sighting } from '../completion.js';
import {
  csvKinds,
  formatOf,
  kindsOf,
  parseKey,
  parseName,
  type ExportFormat,
  type JobFile,
  type Kind,
} from './layout.js';
import type { ListedFile } from './manifest.js';

/** An object of the store, as a listing shows it. */
export interface JobObject {
  readonly key: string;
  /** Its content version (ETag). */
  readonly version: string;
  /** Bytes. */
  readonly size: number;
  /** Epoch ms. */
  readonly modified: number;
}

/** A manifest that was read at the listed version: what it lists, or the sentence that says why it cannot be used. */
export type ReadManifest = { readonly key: string; readonly version: string } & (
  { readonly files: readonly ListedFile[] } | { readonly fault: string }
);

/** Small, whatever the number of shards: it goes through a workflow's history. */
export interface JobSighting extends Sighting {
  /** Absent when no file of the job is there. */
  readonly format?: ExportFormat;
  /** Epoch ms: the oldest file. Absent when there is none. */
  readonly since?: number;
  /** Kinds whose manifest is awaited; `json` where there is only one. */
  readonly manifestsMissing: readonly Kind[];
  readonly manifestsThere: number;
  /** Epoch ms: the newest manifest. Absent when there is none. */
  readonly completeSince?: number;
  readonly shardsThere: number;
  /** What the manifests that are there list. */
  readonly shardsListed: number;
  /** Of these: not there, or of another size than the manifest says. */
  readonly shardsMissing: number;
  /** At most 5 names, with the sizes where these differ. */
  readonly firstMissing: readonly string[];
  /** Shards that are there, with a manifest that does not list them. */
  readonly shardsUnlisted: number;
  /** At most 5 names. */
  readonly firstUnlisted: readonly string[];
  /** Why what is there cannot be loaded, beyond missing files: sentences. */
  readonly fault?: string;
  /** When no manifest is awaited: the first of them, and the versions of all. */
  readonly marker?: Marker;
}

/** Whether a job's keys hold every manifest of its format, whatever these say. */
export function hasAllManifests(keys: readonly string[]): boolean {
  const files = keys.flatMap((key) => parseKey(key) ?? []);
  const manifests = new Set(files.filter(({ role }) => role === 'manifest').map(({ kind }) => kind));
  const formats = new Set(files.map(({ kind }) => formatOf(kind)));
  return formats.size > 0 && [...formats].flatMap(kindsOf).every((kind) => manifests.has(kind));
}

/** Names in a sentence. */
const shown = 5;

/** What manifests list, for telling shards apart. */
export interface Listed {
  /** Kinds with a manifest that can be used. */
  readonly kinds: ReadonlySet<Kind>;
  /** By name, with the size where the manifest says so. */
  readonly shards: ReadonlyMap<string, number | undefined>;
  /** The same names without endings: a shard may be compressed after its manifest was written, or be stored inflated. */
  readonly plain: ReadonlySet<string>;
}

/** Of `…-output-0.json.gz`, `…-output-0`: no ending is the vendor's own. */
function withoutEnding(name: string): string {
  return name.replace(/(?:\.json|\.csv)?(?:\.gz)?$/, '');
}

export function listedBy(manifests: readonly ReadManifest[]): Listed {
  const kinds = new Set<Kind>();
  const shards = new Map<string, number | undefined>();
  for (const manifest of manifests) {
    const kind = parseKey(manifest.key)?.kind;
    if (kind === undefined || !('files' in manifest)) continue;
    kinds.add(kind);
    for (const { name, size } of manifest.files) {
      // "All uploaded files" might take in manifests, which hold no rows.
      if (parseName(name)?.role !== 'manifest') shards.set(name, size ?? shards.get(name));
    }
  }
  return { kinds, shards, plain: new Set([...shards.keys()].map(withoutEnding)) };
}

/**
 * Whether a load takes the object: `listed` are the shards that manifests list, and `all` those besides whose kind has
 * no manifest that can be used. A shard that its manifest leaves out is taken by neither.
 */
export function isTaken(key: string, listed: Listed, which: 'listed' | 'all'): boolean {
  const file = parseKey(key);
  if (file?.role !== 'shard') return false;
  return listed.plain.has(withoutEnding(file.name)) || (which === 'all' && !listed.kinds.has(file.kind));
}

/**
 * Puts together what is known of a job from its objects, in any order, and from those of its manifests that were read.
 * Objects that are no files of the job are passed over; a manifest that was not read at its listed version is not there.
 */
export function sightJob(
  job: string,
  objects: Iterable<JobObject>,
  manifests: readonly ReadManifest[],
): JobSighting {
  const files = filesOf(job, objects);
  const [first] = files;
  if (!first) return { awaited: `a file of job ${job}`, ...nothingThere };
  const formats = [...new Set(files.map(({ kind }) => formatOf(kind)))].sort();
  const there = manifestsOf(files, manifests);
  const awaited = formats.flatMap(kindsOf);
  const kinds = new Set(there.map(({ kind }) => kind));
  // Of both formats: a fault, for which nobody waits, and which must not pass for an upload that did not complete.
  const missing = formats.length > 1 ? [] : awaited.filter((kind) => !kinds.has(kind));
  const marker = missing.length === 0 ? markerOf(there) : undefined;
  const fault = faultOf(there, formats, twice(files));
  const comparison = compare(files, listedBy(there));
  return {
    awaited: nameManifests(first.key, missing.length === 0 ? awaited : missing),
    format: formats.includes('csv') ? 'csv' : 'json',
    since: files.reduce((oldest, { modified }) => Math.min(oldest, modified), first.modified),
    manifestsMissing: missing,
    manifestsThere: kinds.size,
    ...(there.length === 0 ? {} : { completeSince: Math.max(...there.map(({ modified }) => modified)) }),
    ...comparison,
    whole: missing.length === 0 && comparison.shardsMissing === 0 && fault === undefined,
    ...(fault === undefined ? {} : { fault }),
    ...(marker ? { marker } : {}),
  };
}

const nothingThere = {
  whole: false,
  manifestsMissing: kindsOf('json'),
  manifestsThere: 0,
  shardsThere: 0,
  shardsListed: 0,
  shardsMissing: 0,
  firstMissing: [],
  shardsUnlisted: 0,
  firstUnlisted: [],
} as const;

type Present = JobObject & JobFile;
type PresentManifest = Present & ReadManifest;

/** In one order, whatever the listing's: by kind, then by name as people count, 2 before 10. */
function filesOf(job: string, objects: Iterable<JobObject>): readonly Present[] {
  const files: Present[] = [];
  for (const object of objects) {
    const file = parseKey(object.key);
    if (file?.job === job) files.push({ ...object, ...file });
  }
  const order = (kind: Kind): number => csvKinds.findIndex((csvKind) => csvKind === kind);
  return files.sort((a, b) => order(a.kind) - order(b.kind) || compareNames(a.name, b.name));
}

function compareNames(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

function manifestsOf(files: readonly Present[], manifests: readonly ReadManifest[]): PresentManifest[] {
  const read = new Map(manifests.map((manifest) => [`${manifest.version} ${manifest.key}`, manifest]));
  return files.flatMap((file) => {
    const manifest = file.role === 'manifest' ? read.get(`${file.version} ${file.key}`) : undefined;
    return manifest ? [{ ...file, ...manifest }] : [];
  });
}

/** Stands for all manifests: another version of any of them is another version of the job. */
function markerOf(manifests: readonly PresentManifest[]): Marker | undefined {
  const [first] = manifests;
  return first && { key: first.key, version: manifests.map(({ version }) => version).join(' ') };
}

/** Shards that are there with one ending and another, or none. */
function twice(files: readonly Present[]): readonly string[] {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const { role, name } of files) {
    const plain = withoutEnding(name);
    if (role === 'shard' && seen.has(plain)) again.add(plain);
    else if (role === 'shard') seen.add(plain);
  }
  return [...again];
}

function faultOf(
  manifests: readonly PresentManifest[],
  formats: readonly ExportFormat[],
  doubled: readonly string[],
): string | undefined {
  const faults = manifests.flatMap((manifest) =>
    'fault' in manifest ? [`${manifest.name} cannot be used. ${manifest.fault}`] : [],
  );
  // An export is of one format; which of the two holds the sessions nobody could tell.
  if (formats.length > 1) faults.unshift('The job has files of both formats, JSON and CSV.');
  if (doubled.length > 0) {
    faults.push(
      `Of ${doubled.slice(0, shown).join(', ')}${doubled.length > shown ? ', …' : ''} the store has two objects that ` +
        `differ by their endings alone, such as .gz, and nothing says which of them counts.`,
    );
  }
  return faults.length === 0 ? undefined : faults.join(' ');
}

/** `20190508/export-…-output-manifest`, `20190508/export-…-output{sessions,events}-manifest`. */
function nameManifests(key: string, kinds: readonly Kind[]): string {
  const suffixes = kinds.map((kind) => (kind === 'json' ? '' : kind));
  const suffix = suffixes.length > 1 ? `{${suffixes.join(',')}}` : suffixes.join();
  return key.replace(/-output[a-z]*-[^/]*$/, `-output${suffix}-manifest`);
}

type Comparison = Pick<
  JobSighting,
  'shardsThere' | 'shardsListed' | 'shardsMissing' | 'firstMissing' | 'shardsUnlisted' | 'firstUnlisted'
>;

/** The shards that are there beside those that are listed. */
function compare(files: readonly Present[], listed: Listed): Comparison {
  const shards = files.filter(({ role }) => role === 'shard');
  const names = new Set(shards.map(({ name }) => withoutEnding(name)));
  const absent = [...listed.shards.keys()]
    .filter((name) => !names.has(withoutEnding(name)))
    .sort(compareNames);
  // A store shows an object only when its upload has ended, but what was uploaded may have been a part.
  const partial = shards.flatMap(({ name, size }) => {
    const whole = listed.shards.get(name);
    return whole === undefined || whole === size ? [] : [`${name} (${size} of ${whole} bytes)`];
  });
  const unlisted = shards.filter(
    ({ kind, name }) => listed.kinds.has(kind) && !listed.plain.has(withoutEnding(name)),
  );
  const missing = [...absent, ...partial];
  return {
    shardsThere: shards.length,
    shardsListed: listed.shards.size,
    shardsMissing: missing.length,
    firstMissing: missing.slice(0, shown),
    shardsUnlisted: unlisted.length,
    firstUnlisted: unlisted.slice(0, shown).map(({ name }) => name),
  };
}
