/** What a row says, with all that lies within it: for telling copies apart, and for the quarantine. */

import pg from 'pg';

import type { KeyedTable } from '../vendors/table.js';
import { columnsOf, sameKey } from './names.js';

/** Rows to be read: those of temporary table `wanted`, by the first table's key, `_file_id` and `_line`. */
export interface Wanted {
  readonly wanted: string;
  /** Of a table's rows: the first table's, and those that lie within them. */
  readonly tables: readonly [KeyedTable, ...KeyedTable[]];
  /** Where rows of a table are read. */
  readonly from: (table: string) => string;
}

/**
 * Query for the key, `_file_id`, `_line` and `content` of the wanted rows: the row as JSON without its place, and under the
 * name of each other table the rows that came with it. A row of the first table is one line of a file.
 */
export function contentOf({ wanted, tables, from }: Wanted): string {
  const [first, ...others] = tables;
  const place = [...first.key, '_file_id', '_line'];
  const same = (a: string, b: string): string => sameKey(a, b, place);
  const within = others.map(({ name, key }, index) => {
    const own = key.filter((column) => !first.key.includes(column));
    const order = columnsOf('t', own) || '1';
    return {
      name: pg.escapeLiteral(name),
      as: `within_${index}`,
      query: `
        select ${columnsOf('w', place)}, jsonb_agg(${said('t', first.key)} order by ${order}) as rows
        from ${wanted} w join ${from(name)} t on ${same('t', 'w')}
        group by ${columnsOf('w', place)}`,
    };
  });
  const lists = within.map(({ name, as }) => `${name}, ${as}.rows`).join(', ');
  return `
    select ${columnsOf('w', place)},
           ${said('t')}${lists === '' ? '' : ` || jsonb_build_object(${lists})`} as content
    from ${wanted} w join ${from(first.name)} t on ${same('t', 'w')}
    ${within.map(({ as, query }) => `left join (${query}) ${as} on ${same(as, 'w')}`).join('\n')}`;
}

/** A row as JSON without its place, and without the key of the row that it lies in. */
function said(row: string, without: readonly string[] = []): string {
  const left = ['_file_id', '_line', ...without].map(pg.escapeLiteral).join(', ');
  return `(to_jsonb(${row}) - array[${left}])`;
}
