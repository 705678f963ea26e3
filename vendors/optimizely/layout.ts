/**
 * The key grammar of the export. Keys are relative to the store's root, which is the configured prefix
 * (`v1/account_id=596780373/`):
 *
 *     type=decisions/date=2020-05-25/experiment=18156943409/part-00000-….c000.snappy.parquet
 *     type=events/date=2020-05-25/event=add_to_cart/part-00000-….c000.snappy.parquet
 *     type=events/date=2020-05-25/_SUCCESS
 *
 * Parts lie at any depth below the date, also directly below it. Names that start with `.` or `_` are hidden, as Spark
 * and Hadoop have it (`.part-….crc`, `._SUCCESS.crc`, `_temporary/`); only `_SUCCESS` at the date itself speaks.
 */

import { isDay } from '../../model/day.js';
import { unescapePartition } from './partition.js';
import { optimizelyTables, type OptimizelyType } from './tables.js';

const markerName = '_SUCCESS';

/** The folder below the date that holds a part's partition value. */
const partitionFolder: Readonly<Record<OptimizelyType, string>> = {
  decisions: 'experiment=',
  events: 'event=',
};

export const optimizelyTypes = Object.keys(optimizelyTables) as readonly OptimizelyType[];

export function isOptimizelyType(type: string): type is OptimizelyType {
  return Object.hasOwn(optimizelyTables, type);
}

/** Prefixes keep their final slash: the vendor's credentials refuse to list anything else. */
export function typePrefix(type: OptimizelyType): string {
  return `type=${type}/`;
}

export function dayPrefix(type: OptimizelyType, date: string): string {
  return `${typePrefix(type)}date=${date}/`;
}

/** "The daily partition files are ready for import when the _SUCCESS file is available" at this key. */
export function markerKey(type: OptimizelyType, date: string): string {
  return `${dayPrefix(type, date)}${markerName}`;
}

/** The day of a folder `type=events/date=2020-05-25/`; undefined for any other folder and for what is no calendar day. */
export function parseDayFolder(folder: string): string | undefined {
  const date = /^type=[^/]+\/date=([^/]+)\/$/.exec(folder)?.[1];
  return date !== undefined && isDay(date) ? date : undefined;
}

/** What an object of a day is. An ignored one says why, for the plan's count of them. */
export type Classified =
  | { readonly kind: 'marker' }
  | { readonly kind: 'part'; readonly partitionValue: string | null }
  | { readonly kind: 'ignored'; readonly reason: IgnoredReason };

export type IgnoredReason = 'outside the day' | 'folder' | 'hidden' | 'not a part';

/**
 * Says what an object below a day is, by its key. A file counts as a part when it ends in `.parquet`, or is called
 * `part-…` whatever its ending: a part in another format than the announced one has to fail visibly, not be passed over.
 */
export function classify(key: string, type: OptimizelyType, date: string): Classified {
  const prefix = dayPrefix(type, date);
  if (!key.startsWith(prefix)) return { kind: 'ignored', reason: 'outside the day' };
  const path = key.slice(prefix.length);
  if (path === markerName) return { kind: 'marker' };
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  // Consoles and Hadoop keep empty objects whose key ends in a slash to show a folder.
  if (name === '') return { kind: 'ignored', reason: 'folder' };
  if ([...folders, name].some((segment) => /^[._]/.test(segment)))
    return { kind: 'ignored', reason: 'hidden' };
  if (!/^part-|\.parquet$/i.test(name)) return { kind: 'ignored', reason: 'not a part' };
  return { kind: 'part', partitionValue: partitionValue(folders, partitionFolder[type]) };
}

function partitionValue(folders: readonly string[], name: string): string | null {
  const folder = folders.findLast((segment) => segment.startsWith(name));
  return folder === undefined ? null : unescapePartition(folder.slice(name.length));
}
