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
  const own = `
    select ${columnsOf('w', place)}, ${said('t')} as content
    from ${wanted} w join ${from(first.name)} t on ${same('t', 'w')}`;
  if (others.length === 0) return own;
  const within = others.map(({ name, key }) => {
    const ordinals = key.filter((column) => !first.key.includes(column));
    return `
      select ${columnsOf('w', place)}, ${pg.escapeLiteral(name)} as name, ${said('t', first.key)} as row,
             jsonb_build_array(${columnsOf('t', ordinals)}) as ordinals
      from ${wanted} w join ${from(name)} t on ${same('t', 'w')}`;
  });
  // Gathered once for all tables: a join of each table's lists may gather them again for every row.
  return `
    select ${columnsOf('own', place)}, own.content || coalesce(lists.content, '{}') as content
    from (${own}) own
    left join (
      select ${columnsOf('list', place)}, jsonb_object_agg(list.name, list.rows) as content
      from (
        select ${columnsOf('r', place)}, r.name, jsonb_agg(r.row order by r.ordinals) as rows
        from (${within.join(' union all ')}) r
        group by ${columnsOf('r', place)}, r.name
      ) list
      group by ${columnsOf('list', place)}
    ) lists on ${same('lists', 'own')}`;
}

/** A row as JSON without its place, and without the key of the row that it lies in. */
function said(row: string, without: readonly string[] = []): string {
  const left = ['_file_id', '_line', ...without].map(pg.escapeLiteral).join(', ');
  return `(to_jsonb(${row}) - array[${left}])`;
}
