import { nameOf, type Delivery } from '../../model/delivery.js';
import type { Classified, Look, ReadTexts, SeenFile, Sorting, Takes, Vendor } from '../vendor.js';
import { csvColumns, csvCompletions, csvFiles } from './csv.js';
import { csvKinds, dateFolder, isJob, parseDateFolder, parseKey } from './layout.js';
import { parseManifest } from './manifest.js';
import { newnessOf } from './newness.js';
import { hasAllManifests, isTaken, listedBy, sightJob, type ReadManifest } from './sighting.js';
import { session, storedTables } from './tables.js';

/** All that the export holds are sessions; whether as JSON or CSV, the names of its files say. */
export const leanplumTypes = ['sessions'] as const;

export const leanplum: Vendor = {
  name: 'leanplum',
  types: leanplumTypes,
  scripts: new URL('sql/', import.meta.url),
  table: () => session,
  // A job's date says nothing of its sessions, and a session may come again with a later job.
  landing: () => ({ how: 'merge', tables: storedTables, completes: csvCompletions }),
  shape: (_type, key) => {
    const kind = parseKey(key)?.kind;
    const csv = csvKinds.find((csvKind) => csvKind === kind);
    if (csv === undefined) return { format: 'nested json lines', table: session };
    return { format: 'csv', file: csvFiles[csv], columns: csvColumns(csvFiles[csv]) };
  },
  deliveries: {
    are: 'jobs',
    typePrefix: () => '',
    parseDay: (_type, folder) => parseDateFolder(folder),
    isName: isJob,
    parseJob: (key) => parseKey(key)?.job,
    mayBeComplete: hasAllManifests,
  },
  exampleName: '37e812c0-d66e-48a2-8812-27ee12d58b58',
  onlyGrows: false,
  markerIsApart: true,
  prefix: (_type, date) => dateFolder(date),
  depth: 'level',
  look,
  hasManifests: true,
  sorting,
};

function look(delivery: Delivery): Look {
  const job = nameOf(delivery);
  const files: SeenFile[] = [];
  return {
    prefixes: [dateFolder(delivery.date)],
    see: (page) => {
      files.push(...page.files.filter(({ key }) => parseKey(key)?.job === job));
      return false;
    },
    toRead: () => files.filter(({ key }) => parseKey(key)?.role === 'manifest'),
    sighting: (read) => sightJob(job, files, readManifests(files, read)),
  };
}

function readManifests(files: readonly SeenFile[], read: ReadTexts): ReadManifest[] {
  return files.flatMap(({ key, version }): ReadManifest[] => {
    const content = read.get(key);
    if (content === undefined) return [];
    if ('fault' in content) return [{ key, version, fault: content.fault }];
    try {
      return [{ key, version, files: parseManifest(content.text) }];
    } catch (error) {
      return [{ key, version, fault: (error as Error).message }];
    }
  });
}

function sorting(delivery: Delivery, { take, read }: Takes): Sorting {
  const job = nameOf(delivery);
  const manifests = readManifests(
    [...read.keys()].map((key) => ({ key, version: '', size: 0, modified: 0 })),
    read,
  );
  const listed = listedBy(manifests);
  const newest = { manifest: 0, shard: 0 };
  const sort = ({ key, modified }: SeenFile): Classified => {
    const file = parseKey(key);
    if (file === undefined) return { kind: 'ignored', reason: 'not of this export' };
    if (file.job !== job) return { kind: 'ignored', reason: 'file of another job' };
    newest[file.role] = Math.max(newest[file.role], modified);
    if (file.role === 'manifest') return { kind: 'marker' };
    if (!isTaken(key, listed, take)) return { kind: 'ignored', reason: 'in no manifest' };
    return { kind: 'part', partitionValue: null };
  };
  const newness = (): string =>
    newnessOf({ job, started: delivery.date, complete: newest.manifest || newest.shard });
  return { sort, newness };
}
