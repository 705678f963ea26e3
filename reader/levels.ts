/**
 * From lines that hold rows of several tables to these tables: a level each, in SQL that types its rows and says why a
 * line cannot be loaded. Pure.
 *
 * A level is kept as a table of DuckDB's, with the objects that lie within its rows as lists. The next level unfolds
 * them. Rows are in the order of the file throughout, which is how they are numbered.
 */

import type { NestedTable, RootTable, Table } from '../vendors/table.js';
import { literal } from './duckdb.js';
import { objectsOf } from './json-pieces.js';
import { levelQuery, placesOf, type Rows } from './level-query.js';
import type { Piece } from './pieces.js';
import { placeOf, type FileConstants } from './projection.js';

export interface Level {
  readonly table: Table;
  /** DuckDB's table: `line`, the values of the rows, and `fault`, why the line cannot be loaded; null where it can. */
  readonly name: string;
  /** Query for that table, over the lines of a piece for the first level and over the level above for the others. */
  readonly query: (piece: Piece) => string;
  /** Table columns in the order of `values`, which are expressions over DuckDB's table. */
  readonly columns: readonly string[];
  readonly values: (constants: FileConstants) => readonly string[];
}

/** The tables, each after the one that its rows lie in. Throws `RangeError` for tables that do not fit together. */
export function levelsOf(root: RootTable): readonly Level[] {
  const levels: Level[] = [];
  const descend = (rows: Rows): void => {
    levels.push(levelOf(rows));
    rows.inner.forEach((table, index) => descend(rowsWithin(rows, table, index, `level_${levels.length}`)));
  };
  descend({
    table: root,
    name: 'level_0',
    source: (piece) => `select line, json as object
      from (select ${piece.before} + row_number() over () as line, json from ${objectsOf(piece)})
      where json is null or json::varchar <> ${literal(piece.blank)}`,
    row: 'object',
    given: new Map(),
    path: [],
    inner: root.nested,
  });
  return levels;
}

function rowsWithin(above: Rows, table: NestedTable, index: number, name: string): Rows {
  const { field, as } = table.within;
  if (as === 'map' && table.nested) throw new RangeError(`${table.name} is of pairs, which hold no rows`);
  const path = [...above.path, field];
  const place = `place_${path.length}`;
  const columns = columnsOf(above);
  const inherited = table.inherits.map((column, number) => {
    const value = columns.get(column.of);
    if (value === undefined) {
      throw new RangeError(`${table.name}.${column.name} is of ${column.of}, which its parent has not`);
    }
    const expression = column.as === 'presence' ? `(${value} is not null)` : value;
    return { name: column.name, value: `${expression} as given_${number}`, as: `given_${number}` };
  });
  const [row, list] =
    as === 'list' ? ['object' as const, `inner_${index}`] : ['pair' as const, `map_entries(inner_${index})`];
  return {
    table,
    name,
    source: () => `select line, ${[
      ...placesOf(above.path),
      place,
      ...inherited.map(({ value }) => value),
      `before_${index} + ${place} as ordinal`,
      row,
    ].join(', ')}
      from (select *, unnest(${list}) as ${row}, generate_subscripts(${list}, 1) as ${place} from ${above.name})`,
    row,
    given: new Map([...inherited.map(({ name, as }) => [name, as] as const), [table.ordinal, 'ordinal']]),
    path,
    inner: table.nested ?? [],
  };
}

function levelOf(rows: Rows): Level {
  const { table, name } = rows;
  const columns = columnsOf(rows);
  return {
    table,
    name,
    query: levelQuery(rows),
    columns: [...table.ofFile, '_file_id', '_line', ...columns.keys(), '_extra'],
    values: (constants) => [
      ...table.ofFile.map((column) => literal(placeOf[column](constants))),
      BigInt(constants.fileId).toString(),
      'line',
      ...columns.values(),
      'extra',
    ],
  };
}

/** All columns of a table, and what DuckDB's calls them. */
function columnsOf({ table, given }: Rows): ReadonlyMap<string, string> {
  return new Map([...given, ...table.columns.map(({ name }, index) => [name, `value_${index}`] as const)]);
}
