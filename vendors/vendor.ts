/** What a vendor's folder describes. Pure: no I/O, no Temporal, no Postgres. */

import type { Sighting } from './completion.js';
import type { FileShape, Table } from './table.js';

/** What an object of a delivery is. An ignored one says why. */
export type Classified =
  | { readonly kind: 'marker' }
  | { readonly kind: 'part'; readonly partitionValue: string | null }
  | { readonly kind: 'ignored'; readonly reason: string };

/** What a delivery is called within its source. */
export interface NamedDay {
  readonly type: string;
  /** UTC day, `YYYY-MM-DD`. */
  readonly date: string;
}

/** An object as a look at the store sees it. */
export interface SeenFile {
  readonly key: string;
  readonly version: string;
}

/** A vendor that delivers UTC days of one or more types. Keys and prefixes are relative to the store's root. */
export interface Vendor {
  readonly name: string;
  readonly types: readonly string[];
  /** Folder of SQL scripts that make a source's tables, views and functions. */
  readonly scripts: URL;
  /** The table of a type's rows. */
  table(type: string): Table;
  /** How a part is to be read. */
  shape(type: string, key: string): FileShape;
  /** The delivery's id below its source: `events/2020-05-25`. */
  deliveryName(day: NamedDay): string;
  /** The opposite; undefined for what is no name of this vendor's. */
  parseDeliveryName(name: string): NamedDay | undefined;
  /** An example of such a name, for messages. */
  readonly exampleName: string;
  /** Whether a day's delivery begins with the day, rather than after it. */
  readonly beginsWithDay: boolean;
  /** Whether the vendor promises that a new version of a delivery has all rows of the one before. */
  readonly onlyGrows: boolean;
  /**
   * Milliseconds after the end of the day from which on the vendor no longer rewrites it; undefined where it never does.
   */
  closesAfter(type: string): number | undefined;
  /** Where the days of a type show: the prefix, with its final slash, that is listed one level deep. */
  daysPrefix(type: string): string;
  /** The day of a file or folder below that. */
  parseDay(type: string, keyOrFolder: string): string | undefined;
  /** Where a delivery's files lie, with its final slash, and whether further down as well. */
  prefix(type: string, date: string): string;
  readonly depth: 'level' | 'deep';
  /**
   * What the files directly below the prefix say of the delivery: those of one page after the other, in key order, up to
   * the page that shows the marker. What else closes a delivery has to come before its marker.
   */
  sight(type: string, date: string, before: Sighting | undefined, files: readonly SeenFile[]): Sighting;
  classify(key: string, type: string, date: string): Classified;
}
