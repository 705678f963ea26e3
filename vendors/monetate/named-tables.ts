/** The tables of names, by what the metadata API calls them, and where sessions have their ids. */

import type { NameKind } from '../../model/names.js';
import { nameTables, type StoredColumn } from './tables.js';

export interface NamedTable {
  readonly name: string;
  /** The column of its key. */
  readonly id: string;
  /** What the API says of an id. */
  readonly columns: readonly StoredColumn[];
  /** Where sessions have its ids. */
  readonly usedIn: { readonly table: string; readonly column: string };
}

/** Columns that say when the API was asked, and not what it said. */
const ours: readonly string[] = ['first_seen', 'last_seen', 'gone_at', 'asked_at'];

function named(name: string, usedIn: string): NamedTable {
  const table = nameTables.find((one) => one.name === name);
  const [id] = table?.key ?? [];
  if (table === undefined || id === undefined) throw new Error(`There is no table of names ${name}.`);
  const columns = table.columns.filter((column) => column.name !== id && !ours.includes(column.name));
  return { name, id, columns, usedIn: { table: usedIn, column: id } };
}

export const namedTables: Readonly<Record<NameKind, NamedTable>> = {
  variant: named('variant', 'session_offer'),
  pageevent: named('page_event', 'session_page_event'),
  customtarget: named('custom_target', 'session_custom_target'),
};
