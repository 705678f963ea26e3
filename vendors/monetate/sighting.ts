/**
 * What a look at a day finds: in its own folder, whose files are the delivery's, and in the next day's, which belong to
 * the next delivery and may hold sessions that began on this day. Pure: listings and what the ledger says of the others'
 * files come from outside.
 *
 * A folder may hold thousands of files, some of them still being uploaded, and SFTP says nothing of that. "Size and mtime
 * stood still between two looks" takes no list of what was there before: a file that is no newer than the newest one of
 * an earlier look was not written since. That instant alone travels from look to look (`Watch.seen`). It is the store's
 * clock on both sides, so a server whose clock is wrong does no harm.
 */

import { createHash, type Hash } from 'node:crypto';

import { addDays } from '../../model/day.js';
import type { Marker, Sighting } from '../completion.js';
import type { SeenFile, SeenPage } from '../vendor.js';
import { dayFolder, goneFrom, isYearFolder, parseKey, whyIgnored } from './layout.js';

/** Small, whatever the number of files: it goes through a workflow's history. */
export interface DaySighting extends Sighting {
  /** The files of its folder that stood still since the look before: the folder, and a digest of their keys and versions. */
  readonly marker?: Marker;
  /** The same with those that may still be written. Absent when there is no file. */
  readonly everything?: Marker;
  readonly files: number;
  /** Of these: newer than all that the look before saw. All of them where there was none. */
  readonly growing: number;
  /** What was given as `upTo`. */
  readonly upTo?: number;
  /** At most 5 names. */
  readonly firstGrowing: readonly string[];
  /** Objects of its folder that are no files of sessions. */
  readonly ignored: number;
  /** The next day's folder. */
  readonly next: string;
  /** Its files up to the end of the window: those that may hold sessions of this day. */
  readonly nextFiles: number;
  /** Of these: not among what readers see. */
  readonly nextUnloaded: number;
  /** Digest of the files of both. */
  readonly listing: string;
  /** Epoch ms by the store's clock: the newest of them. */
  readonly newest?: number;
  /** Whether the store shows the export at all: a year's folder. */
  readonly exportThere: boolean;
  /** Epoch ms: from then on the vendor no longer keeps all files of the day. */
  readonly goneFrom: number;
}

export interface DayLook {
  /** What is to be listed, one level deep, in this order. A folder that is not there is empty. */
  readonly prefixes: readonly string[];
  see(page: SeenPage): void;
  /** Files of the next delivery: how many of them do readers not see at this version? */
  others(): readonly SeenFile[];
  sighting(unloaded: number): DaySighting;
}

export interface LookUntil {
  /** Epoch ms: sessions of the day come in no file whose interval begins later. */
  readonly closesAt: number;
  /** `stoodStill` of what the looks before saw. */
  readonly upTo?: number | undefined;
}

/** Names in a sentence. */
const shown = 5;

/** Whether a load takes the object. `upTo` is that of the decision: absent, files that may still be written are taken. */
export function isTaken({ key, modified }: SeenFile, upTo?: number): boolean {
  return whyIgnored(key) === undefined && (upTo === undefined || modified <= upTo);
}

export function lookAtDay(date: string, { closesAt, upTo }: LookUntil): DayLook {
  const [own, next] = [dayFolder(date), dayFolder(addDays(date, 1))];
  const [all, standing, listing] = [digest(), digest(), digest()];
  const firstGrowing: string[] = [];
  const others: SeenFile[] = [];
  let ignored = 0;
  let years = 0;
  let newest: number | undefined;

  const see = (file: SeenFile): void => {
    const inOwn = file.key.startsWith(own);
    const parsed = parseKey(file.key);
    if (parsed === undefined) {
      if (inOwn) ignored += 1;
      return;
    }
    if (!inOwn && (!file.key.startsWith(next) || parsed.from >= closesAt)) return;
    listing.add(file);
    newest = Math.max(newest ?? file.modified, file.modified);
    if (!inOwn) {
      others.push(file);
      return;
    }
    all.add(file);
    if (upTo !== undefined && isTaken(file, upTo)) standing.add(file);
    else if (firstGrowing.length < shown) firstGrowing.push(file.key.slice(own.length));
  };

  return {
    prefixes: ['', own, next],
    see: ({ files, folders }) => {
      files.forEach(see);
      years += folders.filter(isYearFolder).length;
    },
    others: () => others,
    sighting: (unloaded) => ({
      awaited: own,
      ...(standing.files() > 0 ? { marker: { key: own, version: standing.version() } } : {}),
      ...(all.files() > 0 ? { everything: { key: own, version: all.version() } } : {}),
      files: all.files(),
      growing: all.files() - standing.files(),
      firstGrowing,
      ...(upTo === undefined ? {} : { upTo }),
      ignored,
      next,
      nextFiles: others.length,
      nextUnloaded: unloaded,
      listing: listing.version(),
      ...(newest === undefined ? {} : { newest }),
      exportThere: years > 0 || listing.files() > 0,
      goneFrom: goneFrom(date),
    }),
  };
}

/** Of files in the order they come, which is that of their keys. */
export function digest(): { add(file: SeenFile): void; files(): number; version(): string } {
  const hash: Hash = createHash('sha256');
  let files = 0;
  return {
    add: ({ key, version }) => {
      hash.update(`${key}\0${version}\n`);
      files += 1;
    },
    files: () => files,
    // 128 bits tell versions of a folder apart.
    version: () => hash.copy().digest('hex').slice(0, 32),
  };
}
