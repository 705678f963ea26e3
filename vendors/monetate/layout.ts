/**
 * The key grammar of Session Stream. Below the root of the SFTP server each account has its folder,
 * `<account_id>/raw_data/session_stream/`; that folder is the store's root, and keys are relative to it:
 *
 *     2017/05/01/20170501T034500.000Z_PT15M-1477542463784.json.gz     sessions that ended from 03:45 to 04:00, UTC
 *     2017/05/01/20170501T034500.000Z_PT15M-1477542463785.json.gz     others that did: there may be several
 *
 * The name says "the 15-minute period", and behind the dash "a unique string that prevents name collisions between
 * multiple files within the same time interval": no version of an earlier file. So a file is written once, and one that
 * changes is one that is still being uploaded. Its version is its size and mtime, which is all that SFTP tells.
 *
 * "This is always 15 minutes" and the folder is the file's day, but both are the vendor's to change: a file of another
 * length, or of another day than its folder's, holds sessions all the same and is taken.
 */

import { addDays, isDay, startOfDay } from '../../model/day.js';

/** Where an account's folder has its files, with its final slash: what the store's root ends with. */
export const streamFolder = 'raw_data/session_stream/';

/** A folder of files, with its final slash: `2017/05/01/`. */
export function dayFolder(date: string): string {
  startOfDay(date);
  return `${date.replaceAll('-', '/')}/`;
}

/** The opposite; undefined for any other folder and for what is no calendar day. */
export function parseDayFolder(folder: string): string | undefined {
  const [, year, month, day] = /^(\d{4})\/(\d{2})\/(\d{2})\/$/.exec(folder) ?? [];
  const date = `${year}-${month}-${day}`;
  return isDay(date) ? date : undefined;
}

/** The folders of months that hold those of the days, both included: what has to be listed to find them. */
export function monthFolders(from: string, to: string): readonly string[] {
  const folders = new Set<string>();
  for (let date = from; date <= to; date = addDays(date, 1)) folders.add(dayFolder(date).slice(0, 8));
  return [...folders];
}

/** Whether a folder directly below the root is one of the export's: a year's. */
export function isYearFolder(folder: string): boolean {
  return /^\d{4}\/$/.test(folder);
}

/** A file of sessions. */
export interface SessionFile {
  /** The day of its folder. */
  readonly date: string;
  /** Epoch ms: when the interval begins in which its sessions ended. */
  readonly from: number;
  /** Milliseconds. */
  readonly length: number;
}

const units: Readonly<Record<string, number>> = { S: 1_000, M: 60_000, H: 3_600_000 };
const fileName = /^(\d{8})T(\d{2})(\d{2})(\d{2})\.(\d{3})Z_PT(\d{1,5})([SMH])-[\w-]+\.json\.gz$/;

/** What a key says; undefined for anything that is no file of sessions. */
export function parseKey(key: string): SessionFile | undefined {
  const slash = key.lastIndexOf('/') + 1;
  const date = parseDayFolder(key.slice(0, slash));
  const [, day = '', hour, minute, second, fraction, count, unit = ''] =
    fileName.exec(key.slice(slash)) ?? [];
  const named = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  const from = Date.parse(`${named}T${hour}:${minute}:${second}.${fraction}Z`);
  const length = Number(count) * (units[unit] ?? Number.NaN);
  if (date === undefined || !isDay(named) || !Number.isFinite(from) || !(length > 0)) return undefined;
  return { date, from, length };
}

/** Why an object below a day's folder is passed over; undefined for a file of sessions. */
export function whyIgnored(key: string): string | undefined {
  if (key === '' || key.endsWith('/')) return 'folder';
  const slash = key.lastIndexOf('/') + 1;
  if (parseDayFolder(key.slice(0, slash)) === undefined) return 'in a folder of its own';
  if (parseKey(key) !== undefined) return undefined;
  // What programs call a file while they upload it.
  if (/^\.|\.(?:tmp|part|partial|filepart|writing)$/i.test(key.slice(slash))) return 'an upload under way';
  return 'not of this export';
}

const day = 86_400_000;

/** "A Session Stream file is available for 820 days after it's generated." */
export const keptForDays = 820;

/** Epoch ms: from then on the first files of a day are no longer kept. */
export function goneFrom(date: string): number {
  return startOfDay(date) + keptForDays * day;
}
