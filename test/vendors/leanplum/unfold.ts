/** What the declaration of the tables means, in the plainest way there is: the rows that a session's object holds. */

import type { Column, NestedTable, RootTable } from '../../../vendors/table.js';

export type Row = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, unknown>>;

/** Rows by table. Ids beyond 2^53 have to be texts. */
export function unfold(root: RootTable, line: Fields): ReadonlyMap<string, readonly Row[]> {
  const rows = new Map<string, Row[]>();
  const put = (table: string, row: Row): void => {
    rows.set(table, [...(rows.get(table) ?? []), row]);
  };
  const descend = (tables: readonly NestedTable[], object: Fields, parent: Row): void => {
    for (const table of tables) {
      for (const inner of innerOf(table, object)) {
        const inherited = table.inherits.map(({ name, of, as }) => {
          const value = parent[of] ?? null;
          return [name, as === 'presence' ? value !== null : value] as const;
        });
        const ordinal = (rows.get(table.name)?.length ?? 0) + 1;
        const row = {
          ...Object.fromEntries(inherited),
          [table.ordinal]: ordinal,
          ...valuesOf(table.columns, inner),
        };
        put(table.name, row);
        descend(table.nested ?? [], inner, row);
      }
    }
  };
  const row = valuesOf(root.columns, line);
  put(root.name, row);
  descend(root.nested, line, row);
  return rows;
}

function innerOf({ within: { field, as } }: NestedTable, object: Fields): readonly Fields[] {
  const value = object[field] ?? [];
  return as === 'list'
    ? (value as readonly Fields[])
    : Object.entries(value).map(([key, inner]: [string, unknown]) => ({ key, value: inner }));
}

function valuesOf(columns: readonly Column[], object: Fields): Row {
  return Object.fromEntries(
    columns.map(({ name, field, unit }) => {
      const value = object[field] ?? null;
      const milliseconds = Math.round(Number(value) * 1_000);
      return [name, unit === 'seconds' && value !== null ? new Date(milliseconds).toISOString() : value];
    }),
  );
}
