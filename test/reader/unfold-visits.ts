/** What tables with former names, lenient and fixed columns mean, in the plainest way there is. */

import type { Column, NestedTable, RootTable } from '../../vendors/table.js';

/** JSON whose whole numbers are exact, and whose objects have their keys in order, perhaps twice. */
export type Value = string | boolean | bigint | number | null | readonly Value[] | Fields;

export interface Fields {
  readonly fields: readonly (readonly [name: string, value: Value])[];
}

/** Values of a row, which are null, text, numbers or JSON; a bigint is the milliseconds of an instant too. */
export type Row = Readonly<Record<string, Value>>;

/** Rows by table; undefined for a line that is a bad one. */
export function unfoldLine(root: RootTable, line: Fields): ReadonlyMap<string, readonly Row[]> | undefined {
  const rows = new Map<string, Row[]>();
  const own = rowOf(root.columns, fieldsOfRows(root.nested), line);
  const required = [root.key, ...(root.required ?? [])];
  if (own === undefined || required.some((name) => own[name] === null)) return undefined;
  rows.set(root.name, [own]);
  for (const table of root.nested) {
    const found = itemsOf(table, line)?.map((item) =>
      rowOf(table.columns, [], item, table.within.as === 'map'),
    );
    if (found === undefined) return undefined;
    for (const row of found) {
      if (row === undefined) return undefined;
      const before = rows.get(table.name) ?? [];
      const inherited = table.inherits.map(({ name, of }) => [name, own[of] ?? null] as const);
      const numbered = { [table.ordinal]: BigInt(before.length + 1), ...table.fixed };
      rows.set(table.name, [...before, { ...Object.fromEntries(inherited), ...numbered, ...row }]);
    }
  }
  return rows;
}

function fieldsOfRows(tables: readonly NestedTable[]): readonly string[] {
  return tables.map(({ within }) => within.field);
}

/** The objects that are rows; undefined where something else stands in their place. */
function itemsOf({ within: { field, as } }: NestedTable, line: Fields): readonly Fields[] | undefined {
  const value = get(line, field);
  if (value === null) return [];
  if (as === 'list') return Array.isArray(value) && value.every(isObject) ? value : undefined;
  if (!isObject(value) || hasKeyTwice(value)) return undefined;
  return value.fields.map(([key, inner]) => ({
    fields: [
      ['key', key],
      ['value', inner],
    ],
  }));
}

function rowOf(
  columns: readonly Column[],
  others: readonly string[],
  object: Fields,
  isPair = false,
): Row | undefined {
  if (hasKeyTwice(object)) return undefined;
  const row: Record<string, Value> = {};
  const known = new Set(others);
  for (const column of columns) {
    const current = get(object, column.field);
    const older = column.older === undefined ? null : get(object, column.older);
    const typed = typedAs(column.type, current ?? older);
    if (typed === undefined && column.lenient !== true) return undefined;
    row[column.name] = typed ?? null;
    known.add(column.field);
    if (column.older !== undefined && (current === null || older === null)) known.add(column.older);
  }
  const extra = object.fields.filter(([name]) => !known.has(name));
  return { ...row, _extra: isPair || extra.length === 0 ? null : { fields: extra } };
}

/** Undefined for what the type does not take. */
function typedAs(type: Column['type'], value: Value): Value | undefined {
  if (value === null || type === 'jsonb') return value;
  const text = typeof value === 'string' ? value : write(value);
  if (type === 'text') return text;
  if (type === 'double precision') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (type === 'boolean') return /^(true|false)$/.test(text) ? text === 'true' : undefined;
  if (!/^-?\d+$/.test(text)) return undefined;
  const whole = BigInt(text);
  if (type === 'bigint') return BigInt.asIntN(64, whole) === whole ? whole : undefined;
  return whole >= firstInstant && whole <= lastInstant ? whole : undefined;
}

const firstInstant = BigInt(Date.parse('0001-01-01'));
const lastInstant = BigInt(Date.parse('9999-12-31T23:59:59.999Z'));

function get({ fields }: Fields, name: string): Value {
  return fields.find(([own]) => own === name)?.[1] ?? null;
}

function hasKeyTwice({ fields }: Fields): boolean {
  return new Set(fields.map(([name]) => name)).size < fields.length;
}

function isObject(value: Value): value is Fields {
  return typeof value === 'object' && value !== null && 'fields' in value;
}

/** As JSON without blanks. */
export function write(value: Value): string {
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(write).join()}]`;
  if (!isObject(value)) return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
  return `{${value.fields.map(([name, inner]) => `${JSON.stringify(name)}:${write(inner)}`).join()}}`;
}
