/** Queries about the entries of fields, over DuckDB's table of lines. Pure. */

import type { DocumentTable, EntriesColumn } from '../../vendors/table.js';
import { rawOf, type Fields } from './fields.js';
import { identifier, literal } from '../duckdb.js';

/**
 * Queries for the lines, of DuckDB's table of them, in which a field that holds rows is an object with a key twice: `seq`
 * and `fault`. They are apart from the others' query so that only one of a line's fields is in parts at a time.
 */
export function twiceQueries(root: DocumentTable, fields: Fields): readonly string[] {
  return [...new Set(root.nested.map(({ within }) => within.field))].map((field) => {
    const raw = rawOf(fields, field).as;
    const keys = `json_keys(${raw})`;
    return `select seq, ${literal(`${field} has a key twice`)} as fault from document
    where case when starts_with(${raw}, '{') and ${raw}::varchar <> '{}' then list_unique(${keys}) < len(${keys}) end`;
  });
}

/** Columns that say of a field whether it has many entries. */
export function entriesColumns(root: DocumentTable): readonly EntriesColumn[] {
  return root.columns.flatMap((column) => ('entriesOf' in column ? [column] : []));
}

/** Query for which of these columns may be true, by the length of their fields: an entry takes two letters at least. */
export function maybeManyQuery(root: DocumentTable, fields: Fields): string {
  const may = entriesColumns(root).map((column) => `bool_or(${maybeMany(fields, column)})`);
  return `select ${may.join(', ')} from document`;
}

/**
 * Query for the lines, of DuckDB's table of them, of which such a column is true: `seq`. One column at a time, since a field
 * takes many times its length while its entries are counted.
 */
export function manyQuery(fields: Fields, column: EntriesColumn): string {
  const json = rawOf(fields, column.entriesOf).as;
  const many = (value: string): string =>
    `case when starts_with(${value}, '[') then json_array_length(${value}) >= ${column.atLeast}
      when starts_with(${value}, '{') then len(json_keys(${value})) >= ${column.atLeast} else false end`;
  const some = column.orOfEach === undefined ? '' : ` or ${manyInside(json, column.orOfEach, many)}`;
  return `select seq from document where case when ${maybeMany(fields, column)} then ${many(json)}${some} end`;
}

function maybeMany(fields: Fields, { entriesOf, atLeast }: EntriesColumn): string {
  return `strlen(${rawOf(fields, entriesOf).as}::varchar) > ${2 * atLeast}`;
}

function manyInside(json: string, field: string, many: (value: string) => string): string {
  const ofList = literal(JSON.stringify([{ [field]: 'JSON' }]));
  const ofObject = literal(JSON.stringify(`MAP(VARCHAR, STRUCT(${identifier(field)} JSON))`));
  const values = `case when starts_with(${json}, '{') then map_values(from_json(${json}, ${ofObject}))
    else from_json(${json}, ${ofList}) end`;
  return `len(list_filter(${values}, lambda entry : ${many(`entry.${identifier(field)}`)})) > 0`;
}
