/** What a vendor's folder describes. Pure: no I/O, no Temporal, no Postgres. */

export type ColumnType = 'text' | 'timestamptz' | 'bigint' | 'double precision' | 'boolean' | 'jsonb';

export interface Column {
  /** Postgres column, snake_case. */
  readonly name: string;
  readonly type: ColumnType;
  /** The vendor's field name. */
  readonly field: string;
}

export interface Table {
  /** Table name below the source's schema. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** The column that identifies a row within a delivery; a row without it is quarantined. */
  readonly key: string;
}

/** What an object of a delivery is. An ignored one says why. */
export type Classified =
  | { readonly kind: 'marker' }
  | { readonly kind: 'part'; readonly partitionValue: string | null }
  | { readonly kind: 'ignored'; readonly reason: string };

/** A vendor that delivers whole days of each type below a prefix, complete with the marker beside them. */
export interface Vendor {
  readonly name: string;
  readonly types: readonly string[];
  /** Folder of SQL scripts that make a source's tables, views and functions. */
  readonly scripts: URL;
  table(type: string): Table;
  /** Prefixes and keys are relative to the store's root; prefixes end with `/`. */
  typePrefix(type: string): string;
  dayPrefix(type: string, date: string): string;
  markerKey(type: string, date: string): string;
  /** The day of a folder directly below a type's prefix. */
  parseDayFolder(folder: string): string | undefined;
  classify(key: string, type: string, date: string): Classified;
}
