/** What the declaration of the tables means, in the plainest way there is: the rows that a session's object holds. */

import type {
  DocumentTable,
  ItemColumn,
  ItemTable,
  PairTable,
  StoredType,
  ValueColumn,
} from '../../../vendors/table.js';

export type Row = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, unknown>>;

/** Rows by table. */
export function unfold(root: DocumentTable, line: Fields): ReadonlyMap<string, readonly Row[]> {
  const session: Row = Object.fromEntries(
    root.columns.map((column) => [
      column.name,
      'field' in column ? valueOf(column, line[column.field]) : isLong(column, line),
    ]),
  );
  const rows = new Map<string, readonly Row[]>([[root.name, [session]]]);
  for (const table of root.nested) {
    const found =
      'each' in table.within || table.within.as !== 'map'
        ? itemsOf(table as ItemTable, line)
        : pairsOf(table as PairTable, line);
    rows.set(
      table.name,
      found.map((row, index) => ({ session_id: session['session_id'], [table.ordinal]: index + 1, ...row })),
    );
  }
  return rows;
}

function pairsOf({ within, columns }: PairTable, line: Fields): Row[] {
  return entries(line[within.field]).map(([key, value]) =>
    Object.fromEntries(
      columns.map((column) => [column.name, valueOf(column, column.field === 'key' ? key : value)]),
    ),
  );
}

interface Item {
  readonly item: unknown;
  readonly key: string | null;
  readonly outer: unknown;
  readonly outerKey: string | null;
}

function itemsOf({ within, columns }: ItemTable, line: Fields): Row[] {
  const field = line[within.field];
  const items: Item[] = [];
  const put = (value: unknown, outer: unknown, outerKey: string | null): void => {
    for (const [key, item] of entries(value))
      items.push({ item, key: isObject(value) ? key : null, outer, outerKey });
  };
  if (within.each !== undefined) {
    for (const [outerKey, outer] of isObject(field) ? entries(field) : []) {
      if (isObject(outer)) put(outer[within.each], outer, outerKey);
    }
  } else if (within.as === 'items') put(field, null, null);
  else {
    for (const [key, value] of isObject(field) ? entries(field) : []) {
      for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
        items.push({ item, key, outer: null, outerKey: null });
      }
    }
  }
  return items.map((item) => Object.fromEntries(columns.map((column) => [column.name, lift(column, item)])));
}

function lift({ of, fields, type }: ItemColumn, { item, key, outer, outerKey }: Item): unknown {
  const from = { item, key, outer, 'outer key': outerKey }[of];
  if (fields === undefined) return type === 'text' && typeof from !== 'string' ? jsonText(from) : from;
  if (!isObject(from)) return null;
  return fields.map((name) => fit(type, from[name])).find((value) => value !== null) ?? null;
}

/** A value that does not fit is none. */
function fit(type: StoredType, value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  if (type === 'text') return String(value);
  if (type === 'numeric') return String(value).trim() !== '' && Number.isFinite(Number(value)) ? value : null;
  const instant = new Date(Number.isFinite(Number(value)) ? Number(value) : String(value));
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}

function valueOf({ type }: ValueColumn, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return type === 'timestamptz' ? new Date(Number(value)).toISOString() : value;
}

function isLong(
  { entriesOf, atLeast, orOfEach }: { entriesOf: string; atLeast: number; orOfEach?: string },
  line: Fields,
): boolean {
  const values = entries(line[entriesOf]).map(([, value]) => value);
  const inner =
    orOfEach === undefined ? [] : values.map((value) => (isObject(value) ? value[orOfEach] : undefined));
  return [line[entriesOf], ...inner].some((value) => entries(value).length >= atLeast);
}

/** Of a list by its places, of an object by its keys; of anything else none. */
function entries(value: unknown): [string, unknown][] {
  return Array.isArray(value) || isObject(value) ? Object.entries(value as Fields) : [];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
