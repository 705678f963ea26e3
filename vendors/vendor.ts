/** What a vendor's folder describes. Pure: no I/O, no Temporal, no Postgres. */

import type { Delivery } from '../model/delivery.js';
import type { Clock, Marker, Sighting, Take, Watch } from './completion.js';
import type { DocumentTable, FileShape, Landing, Table } from './table.js';

/** What an object of a delivery is. An ignored one says why. */
export type Classified =
  | { readonly kind: 'marker' }
  | { readonly kind: 'part'; readonly partitionValue: string | null }
  | { readonly kind: 'ignored'; readonly reason: string };

/** An object as a look at the store sees it. */
export interface SeenFile {
  readonly key: string;
  readonly version: string;
  /** Bytes. */
  readonly size: number;
  /** Epoch ms. */
  readonly modified: number;
}

/** What a small file says that had to be read, or the sentence that tells why it cannot be. */
export type ReadText = { readonly text: string } | { readonly fault: string };

/** By key, at the version that was listed; a file that changed or vanished since is left out. */
export type ReadTexts = ReadonlyMap<string, ReadText>;

/** A page of a listing that goes one level deep. */
export interface SeenPage {
  readonly files: readonly SeenFile[];
  /** With their final slash. */
  readonly folders: readonly string[];
}

/** When a look is made, and what is known from those before it. */
export interface LookedAt extends Pick<Clock, 'now' | 'pollEvery' | 'closesAt'> {
  readonly watch?: Watch;
}

/** Puts together what there is to see of a delivery: its listing, page by page in key order, then what has to be read. */
export interface Look {
  /** What is listed, one level deep, in this order. A folder that is not there is empty. */
  readonly prefixes: readonly string[];
  /** Returns whether enough has been seen. */
  see(page: SeenPage): boolean;
  /** Those that say which others count. */
  toRead(): readonly SeenFile[];
  /** Files of other deliveries, of which it matters whether readers see them. */
  others?(): readonly SeenFile[];
  /** `unseen`: how many of the others readers do not see at their version. */
  sighting(read: ReadTexts, unseen: number): Sighting;
}

/** What a load takes of a delivery's files, as its vendor's rule has said. */
export interface Takes {
  readonly take: Take;
  readonly read: ReadTexts;
  /** Epoch ms: files that were written later are left for another load. */
  readonly upTo?: number | undefined;
}

/** Goes through all that lies below a delivery's prefix, in key order. */
export interface Sorting {
  sort(file: SeenFile): Classified;
  /** For a vendor whose marker says which files a load takes: of those that were sorted as parts. */
  marker?(): Marker | undefined;
  /**
   * How new the copies in a part are, as a text that is compared byte by byte: of several copies of one row the latest
   * stands. Of files that say the same the later name counts, as people count, then the later line. Asked for when all
   * files have been sorted.
   */
  newness(part: Pick<SeenFile, 'key' | 'modified'>): string;
}

/** Deliveries that lie in a store. */
interface Stored {
  /** Where everything of a type lies, with its final slash. */
  typePrefix(type: string): string;
  /** The day of a file or folder below that. */
  parseDay(type: string, keyOrFolder: string): string | undefined;
}

/** Deliveries that are UTC days: each is expected, whether there is a file of it or not. */
export interface Days extends Stored {
  readonly are: 'days';
  /** The delivery's name below its source: `events/2020-05-25`. */
  name(type: string, date: string): string;
  /** The opposite; undefined for what is no name of this vendor's. */
  parseName(name: string): { readonly type: string; readonly date: string } | undefined;
  /** Where the days of a type from `first` to `last` show: the prefixes that are listed, one level deep. */
  prefixes(type: string, first: string, last: string): readonly string[];
  /** Whether a day's delivery begins with the day, rather than after it. */
  readonly beginWithDay: boolean;
  /**
   * Milliseconds after the end of the day from which on the vendor no longer rewrites it; undefined where it never does.
   */
  closeAfter(type: string): number | undefined;
  /** Epoch ms: from then on files of a day go, for the vendor keeps them no longer. Absent: it keeps them. */
  keptUntil?(date: string): number;
  /** Whether a day is final only when the one after it is loaded, or half of it. */
  readonly needNext?: boolean;
}

/** Deliveries that come when they come: what there is of them is what the store shows. Their names tell no day. */
export interface Jobs extends Stored {
  readonly are: 'jobs';
  isName(name: string): boolean;
  /** The name of the job that an object belongs to; undefined for any other object. */
  parseJob(key: string): string | undefined;
  /** Whether files with these keys may be all that the vendor completes a job with. */
  mayBeComplete(keys: readonly string[]): boolean;
}

/**
 * Deliveries that Landfall makes itself of what a vendor sends: each is a batch of what waited in the inbox, and complete as
 * soon as it is there.
 */
export interface Batches {
  readonly are: 'batches';
  /** The day that a batch of that name is filed under; undefined for what is no name of a batch. */
  dayOf(name: string): string | undefined;
}

/** What a person types into a vendor's form, so that it sends to us. */
export interface SetupHint {
  /** What the form calls it. */
  readonly setting: string;
  readonly enter: string;
}

/** Where a vendor has to send what is for a source. */
export interface ReceiverPlace {
  /** Address of the receiver as the vendor reaches it, without a slash at its end. */
  readonly url: string;
  /** Path of the source below it. */
  readonly path: string;
  readonly source: string;
  /** What the vendor may log in with. */
  readonly basic: { readonly username: string } | undefined;
  readonly bearer: boolean;
}

/** A vendor's export. Keys and prefixes are relative to the store's root. */
export interface Vendor {
  readonly name: string;
  readonly types: readonly string[];
  /** Folder of SQL scripts that make a source's tables, views and functions. */
  readonly scripts: URL;
  /** The table whose rows are those of a type's files, the first where there are several, with what lies within them. */
  table(type: string): Table | DocumentTable;
  /** Where the rows of a type go, and how they take the place of earlier ones. */
  landing(type: string): Landing;
  /** How a part is to be read. */
  shape(type: string, key: string): FileShape;
  readonly deliveries: Days | Jobs | Batches;
  /** An example of a delivery's name below its source, for messages. */
  readonly exampleName: string;
  /** Whether the vendor promises that a new version of a delivery has all rows of the one before. */
  readonly onlyGrows: boolean;
  /**
   * Whether its marker is a file of its own, which says nothing of the parts beside it: a final delivery may change without
   * it. Then the files themselves are compared.
   */
  readonly markerIsApart?: boolean;
  /** Where the files of a day lie, with its final slash, and whether further down as well. */
  prefix(type: string, date: string): string;
  readonly depth: 'level' | 'deep';
  /** Looks at a delivery. What else closes it has to come before its marker. */
  look(delivery: Delivery, at: LookedAt): Look;
  /** Whether a delivery has files that say which others count: they are read before a load is planned. */
  readonly hasManifests: boolean;
  /** Says what an object below the prefix is to the delivery. */
  sorting(delivery: Delivery, takes: Takes): Sorting;
  /** For a vendor that sends: what its form is to be filled in with, in the order of the form. */
  readonly setupHints?: (place: ReceiverPlace) => readonly SetupHint[];
}

/** A vendor whose deliveries are days. */
export type DayVendor = Vendor & { readonly deliveries: Days };

/** A vendor whose deliveries are jobs. */
export type JobVendor = Vendor & { readonly deliveries: Jobs };

export function deliversDays(vendor: Vendor): vendor is DayVendor {
  return vendor.deliveries.are === 'days';
}

export function deliversJobs(vendor: Vendor): vendor is JobVendor {
  return vendor.deliveries.are === 'jobs';
}
