import pg from 'pg';

import { byTable, tableNames, type LeanplumRows, type Row } from '../../sandbox/leanplum/rows.js';

/** Rows by their keys, so that two sets of them can be compared whatever order they came in. */
export function inKeyOrder(rows: LeanplumRows): LeanplumRows {
  return byTable((name) =>
    [...rows[name]].sort((a, b) => compare(a, b, 'session_id') || compare(a, b, 'ordinal')),
  );
}

function compare(a: Row, b: Row, column: string): number {
  const [one, other] = [BigInt(String(a[column] ?? 0)), BigInt(String(b[column] ?? 0))];
  return one < other ? -1 : Number(one > other);
}

/** What a source's schema holds, by key, without Landfall's own columns: to be compared with `inKeyOrder`. */
export async function heldRows(pool: pg.Pool | pg.Client, schema: string): Promise<LeanplumRows> {
  const held = new Map<string, readonly Row[]>();
  for (const name of tableNames) {
    const { rows } = await pool.query<Record<string, Row[string] | Date>>(
      `select * from ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`,
    );
    held.set(
      name,
      rows.map((row) =>
        Object.fromEntries(
          Object.entries(row)
            .filter(([column]) => !column.startsWith('_'))
            .map(([column, value]) => [column, value instanceof Date ? value.toISOString() : value]),
        ),
      ),
    );
  }
  return inKeyOrder(byTable((name) => held.get(name) ?? []));
}
