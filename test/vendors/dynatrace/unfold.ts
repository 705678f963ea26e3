/** What the declaration of the tables means, in the plainest way there is: the rows that a session's document holds. */

import type { Column, NestedTable, RootTable } from '../../../vendors/table.js';

export type Row = Readonly<Record<string, unknown>>;

/** Rows by table. Whole numbers beyond 2^53 have to be texts. */
export function unfold(root: RootTable, document: Row): ReadonlyMap<string, readonly Row[]> {
  const known = root.nested.map(({ within }) => within.field);
  const session = rowOf(root.columns, document, known);
  const rows = new Map<string, readonly Row[]>([[root.name, [session]]]);
  for (const table of root.nested) {
    const before = rows.get(table.name) ?? [];
    const found = objectsIn(table, document).map((object, index) => ({
      ...Object.fromEntries(table.inherits.map(({ name, of }) => [name, session[of]])),
      [table.ordinal]: before.length + index + 1,
      ...table.fixed,
      ...rowOf(table.columns, object, []),
    }));
    rows.set(table.name, [...before, ...found]);
  }
  return rows;
}

function objectsIn({ within: { field, as } }: NestedTable, document: Row): readonly Row[] {
  const value = document[field] ?? [];
  return as === 'list'
    ? (value as readonly Row[])
    : Object.entries(value).map(([key, inner]: [string, unknown]) => ({ key, value: inner }));
}

function rowOf(columns: readonly Column[], object: Row, known: readonly string[]): Row {
  const fields = columns.flatMap(({ field, older }) => [field, older]);
  const extra = Object.entries(object).filter(([name]) => ![...fields, ...known].includes(name));
  return {
    ...Object.fromEntries(columns.map((column) => [column.name, valueOf(column, object)])),
    _extra: extra.length === 0 ? null : Object.fromEntries(extra),
  };
}

function valueOf({ type, field, older, lenient }: Column, object: Row): unknown {
  const value = object[field] ?? (older === undefined ? null : object[older]) ?? null;
  if (value === null) return null;
  const written = typeof value === 'string' ? value : JSON.stringify(value);
  if (type === 'text') return written;
  if (type === 'bigint') return lenient !== true || /^-?\d+(\.0*)?$/.test(written) ? value : null;
  if (type === 'double precision') return lenient !== true || !Number.isNaN(Number(written)) ? value : null;
  if (type !== 'timestamptz') return value;
  const instant = new Date(/^\d+$/.test(written) ? Number(written) : written);
  return lenient === true && Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}
