/**
 * From lines that hold rows of several tables to these tables: a level each, in SQL that types its rows and says why a
 * line cannot be loaded. Pure.
 *
 * A level is kept as a table of DuckDB's, with the objects that lie within its rows as lists. The next level unfolds
 * them. Rows are in the order of the file throughout, which is how they are numbered.
 */

import type { Column, NestedTable, RootTable, Table } from '../../vendors/table.js';
import { literal } from '../duckdb.js';
import { objectsOf } from '../json-pieces.js';
import { levelQuery, placesOf, type GivenColumn, type Rows } from './level-query.js';
import { kept, stricter } from '../masks/fates.js';
import { columnFate, maskColumns, maskExtra, typedFate } from '../masks/rows.js';
import { maskTyped } from '../masks/sql.js';
import type { Masks } from '../masks/masks.js';
import type { Piece } from '../pieces.js';
import { placeOf, type FileConstants } from '../projection.js';

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
export function levelsOf(root: RootTable, masks?: Masks): readonly Level[] {
  const all: Rows[] = [];
  const descend = (rows: Rows): void => {
    all.push(rows);
    rows.inner.forEach((table, index) => descend(rowsWithin(rows, table, index, `level_${all.length}`)));
  };
  const missing = root.required?.find((name) => !root.columns.some((column) => column.name === name));
  if (missing !== undefined) throw new RangeError(`${root.name} requires ${missing}, which it has not`);
  descend({
    masks,
    table: root,
    name: 'level_0',
    source: linesOf,
    row: 'object',
    given: new Map(),
    path: [],
    inner: root.nested,
    fixed: {},
    required: root.required ?? [],
  });
  requireNumbered(all);
  return all.map(levelOf);
}

/** Rows of one table are numbered over several fields only where these are the line's own, and nothing lies in them. */
function requireNumbered(all: readonly Rows[]): void {
  for (const { table } of all) {
    const same = all.filter((rows) => rows.table.name === table.name);
    if (same.length === 1 || same.every(({ path, inner }) => path.length === 1 && inner.length === 0))
      continue;
    throw new RangeError(
      `${table.name} has rows in several fields that are not all the line's own, or hold others`,
    );
  }
}

/** Query for the lines of a piece that are not blank. */
export function linesOf(piece: Piece): string {
  return `select line, json as object
      from (select ${piece.before} + row_number() over () as line, json from ${objectsOf(piece)})
      where json is null or json::varchar <> ${literal(piece.blank)}`;
}

function rowsWithin(above: Rows, table: NestedTable, index: number, name: string): Rows {
  const { field, as } = table.within;
  if (as === 'map' && table.nested) throw new RangeError(`${table.name} is of pairs, which hold no rows`);
  if (as === 'map' && table.columns.some(({ older }) => older !== undefined)) {
    throw new RangeError(`${table.name} is of pairs, which have no former names`);
  }
  const path = [...above.path, field];
  const place = `place_${path.length}`;
  const columns = columnsOf(above);
  const inherited = table.inherits.map((column, number) => {
    const parent = columns.get(column.of);
    if (parent === undefined) {
      throw new RangeError(`${table.name}.${column.name} is of ${column.of}, which its parent has not`);
    }
    const { name, as: how } = column;
    const as = `given_${number}`;
    // Whether there was a value is told of those too that are left out.
    if (how === 'presence') return { name, value: `(${parent.as} is not null) as ${as}`, ...noValue, as };
    const fate = stricter(parent.fate, columnFate(above.masks, table.name, name));
    return { name, value: `${parent.as} as ${as}`, ...parent, as, fate };
  });
  const [row, list] =
    as === 'list' ? ['object' as const, `inner_${index}`] : ['pair' as const, `map_entries(inner_${index})`];
  return {
    masks: above.masks,
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
    given: new Map<string, GivenColumn>([
      ...inherited.map(({ name, as, type, fate }) => [name, { as, type, fate }] as const),
      [table.ordinal, { ...noValue, as: 'ordinal' }],
    ]),
    path,
    inner: table.nested ?? [],
    fixed: table.fixed ?? {},
    required: [],
  };
}

/** A column that holds nothing of the vendor's. */
const noValue = { type: 'bigint', fate: kept } as const;

function levelOf(rows: Rows): Level {
  const { table, name, masks, given, fixed } = rows;
  const columns = columnsOf(rows);
  return {
    table,
    name,
    query: levelQuery(rows),
    columns: [...table.ofFile, '_file_id', '_line', ...columns.keys(), ...Object.keys(fixed), '_extra'],
    values: (constants) => [
      ...table.ofFile.map((column) => literal(placeOf[column](constants))),
      BigInt(constants.fileId).toString(),
      'line',
      ...[...given.values()].map(({ as, type, fate }) => maskTyped(type, as, fate)),
      ...maskColumns(masks, table, table.columns.map(valueName)),
      ...Object.values(fixed).map(literal),
      maskExtra(masks, table, 'extra'),
    ],
  };
}

/** All columns of a table, and what DuckDB's calls them. */
function columnsOf({ table, given, masks }: Rows): ReadonlyMap<string, GivenColumn> {
  const own = table.columns.map((column, index): readonly [string, GivenColumn] => {
    const { name, type } = column;
    return [name, { as: valueName(column, index), type, fate: typedFate(masks, table, column) }];
  });
  return new Map([...given, ...own]);
}

function valueName(_column: Column, index: number): string {
  return `value_${index}`;
}
