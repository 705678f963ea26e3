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
/** A map is an object whose keys are in the order of the document: JavaScript's own puts those that are numbers first. */
type Fields = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

/** A number as it is written, with more digits than a number of JavaScript's may have. */
export class Written {
  constructor(readonly digits: string) {}
}

/** Rows by table. */
export function unfold(root: DocumentTable, line: Fields): ReadonlyMap<string, readonly Row[]> {
  const session: Row = Object.fromEntries(
    root.columns.map((column) => [
      column.name,
      'field' in column ? valueOf(column, get(line, column.field)) : isLong(column, line),
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
  return entries(get(line, within.field)).map(([key, value]) =>
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
  const field = get(line, within.field);
  const items: Item[] = [];
  const put = (value: unknown, outer: unknown, outerKey: string | null): void => {
    for (const [key, item] of entries(value))
      items.push({ item, key: isObject(value) ? key : null, outer, outerKey });
  };
  if (within.each !== undefined) {
    for (const [outerKey, outer] of isObject(field) ? entries(field) : []) {
      if (isObject(outer)) put(get(outer, within.each), outer, outerKey);
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
  return fields.map((name) => fit(type, get(from, name))).find((value) => value !== null) ?? null;
}

/** A value that does not fit is none. */
function fit(type: StoredType, value: unknown): unknown {
  if (!['string', 'number', 'bigint'].includes(typeof value) && !(value instanceof Written)) return null;
  const text = value instanceof Written ? value.digits : String(value);
  if (type === 'text') return text;
  const trimmed = text.replace(/^ +| +$/g, '');
  if (type === 'numeric') return decimal.test(trimmed) ? value : null;
  if (!decimal.test(trimmed) && !isoInstant.test(text)) return null;
  const instant = new Date(decimal.test(trimmed) ? Math.round(Number(trimmed)) : text);
  const year = instant.getUTCFullYear();
  return year >= 1 && year <= 9999 ? instant.toISOString() : null;
}

/** What is a number to Postgres; `0x10`, `Infinity` and nothing are to JavaScript. */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?$/i;
/** `Date` takes `a 1` too. */
const isoInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function valueOf({ type }: ValueColumn, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return type === 'timestamptz' ? new Date(Number(value)).toISOString() : value;
}

function isLong(
  { entriesOf, atLeast, orOfEach }: { entriesOf: string; atLeast: number; orOfEach?: string },
  line: Fields,
): boolean {
  const field = get(line, entriesOf);
  const values = entries(field).map(([, value]) => value);
  const inner =
    orOfEach === undefined ? [] : values.map((value) => (isObject(value) ? get(value, orOfEach) : undefined));
  return [field, ...inner].some((value) => entries(value).length >= atLeast);
}

/** Of a list by its places, of an object by its keys; of anything else none. */
function entries(value: unknown): [string, unknown][] {
  if (value instanceof Map) return [...(value as Map<string, unknown>)];
  return Array.isArray(value) || isObject(value) ? Object.entries(value as object) : [];
}

function get(fields: Fields, name: string): unknown {
  return fields instanceof Map ? fields.get(name) : (fields as Readonly<Record<string, unknown>>)[name];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Written);
}

function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : written(value);
}

/** JSON as files have it. */
export function written(value: unknown): string {
  if (value instanceof Written) return value.digits;
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(written).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}:${written(inner)}`)
    .join()}}`;
}
