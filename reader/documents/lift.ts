/** Columns that are lifted out of JSON whose form nobody promised: a value that does not fit is none. Pure. */

import type { ItemColumn, ItemTable } from '../../vendors/table.js';
import type { ItemMask } from './masks.js';
import type { LongNumbers } from './numbers.js';
import { literal } from '../duckdb.js';
import { shown } from '../nested/level-query.js';
import { isKept } from '../masks/fates.js';
import { maskJson, maskTyped } from '../masks/sql.js';
import type { Masks } from '../masks/masks.js';
import { typeColumn } from '../typing.js';

/** What a column may be lifted from. */
export type Of = ItemColumn['of'];

/** What the tables of DuckDB's call it. */
const named: Readonly<Record<Of, string>> = {
  item: 'item',
  key: 'key',
  outer: 'outer_value',
  'outer key': 'outer_key',
};

/** Names of fields that a table's columns may be lifted from. */
export function namesIn({ columns }: ItemTable, of: Of): readonly string[] {
  return [...new Set(columns.flatMap((column) => (column.of === of ? (column.fields ?? []) : [])))];
}

/**
 * Query for the keys of JSON in a column of a table of DuckDB's: which of some names there are, and whether any JSON has a
 * key twice.
 */
export function keysQuery(table: string, of: Of, names: readonly string[]): string {
  const known = `[${names.map(literal).join(', ')}]::varchar[]`;
  return `select list_distinct(flatten(list(list_intersect(keys, ${known})))), bool_or(list_unique(keys) < len(keys))
    from (select distinct json_keys(${named[of]}) as keys from ${table})`;
}

/** Query for lines in which JSON of that column has a key twice: `seq` and `fault`. */
export function twiceQuery(table: string, of: Of, field: string, masks: Masks | undefined): string {
  const keys = `json_keys(${named[of]})`;
  const reason = shown(`an object in ${field} has a key twice`, named[of], masks);
  return `select seq, ${reason} as fault from ${table} where list_unique(${keys}) < len(${keys})`;
}

/**
 * Table expression over another: what is there, and `value_…` of those columns of the table that are lifted from `of`, by
 * their places, masked. `present` are the names that any of the JSON has: to look for all that there might be takes four times as
 * long.
 */
export function lifting(
  { columns }: ItemTable,
  of: readonly Of[],
  present: ReadonlySet<string>,
  numbers: LongNumbers,
  masked: ItemMask,
  from: string,
): string {
  const json: string[] = [];
  // By place: names in a struct are the same to DuckDB where they differ in case alone.
  const place = (field: string): string => {
    if (!json.includes(field)) json.push(field);
    return `struct_extract_at(fields, ${json.indexOf(field) + 1})`;
  };
  const raw: string[] = [];
  const typed: string[] = [];
  const values = columns.map((column, index) => {
    if (!of.includes(column.of)) return [];
    const candidates = candidatesOf(column, present).map((candidate, number) => {
      const [rawName, typedName] = [`raw_${index}_${number}`, `typed_${index}_${number}`];
      const fate = masked.of(column, candidate.name);
      const given = 'value' in candidate ? candidate.value : place(candidate.name);
      const left = column.type === 'jsonb' && !isKept(fate) ? maskJson(given, fate) : given;
      raw.push(`${numbers.plain(left)} as ${rawName}`);
      const type = column.type === 'jsonb' ? 'JSON' : 'VARCHAR';
      const { value: expression, faults } = typeColumn(
        column,
        { name: column.name, as: rawName, type },
        typedName,
      );
      typed.push(`${expression} as ${typedName}`);
      const fits = 'fits' in candidate ? [`not ${candidate.fits(rawName)}`] : [];
      const unfit = [...faults.map(({ when }) => when), ...fits];
      const value =
        column.type === 'jsonb' ? typedName : maskTyped(column.type, typedName, fate, masked.key(column));
      if (unfit.length === 0) return value;
      return `case when ${unfit.map((when) => `coalesce(${when}, false)`).join(' or ')} then null else ${value} end`;
    });
    return [`${candidates.length === 0 ? 'null' : `coalesce(${candidates.join(', ')})`} as value_${index}`];
  });
  const structure = literal(`{${json.map((field) => `${JSON.stringify(field)}:"VARCHAR"`).join()}}`);
  const whole = named[of.includes('item') ? 'item' : 'outer'];
  const parsed = json.length > 0 ? [`from_json(${whole}, ${structure}) as fields`] : [];
  const dropped = [...parsed.map(() => 'fields'), ...nameOf(raw), ...nameOf(typed)];
  const exclude = dropped.length > 0 ? ` exclude (${dropped.join(', ')})` : '';
  return `(
    select ${[`*${exclude}`, ...values.flat()].join(', ')}
    from (select ${['*', ...typed].join(', ')}
      from (select ${['*', ...raw].join(', ')}
        from (select ${['*', ...parsed].join(', ')} from ${from})))
  )`;
}

function nameOf(expressions: readonly string[]): string[] {
  return expressions.map((expression) => expression.slice(expression.lastIndexOf(' ') + 1));
}

/**
 * Where a raw value comes from: an expression, which may be of a field, or the text of a field, which may have to meet more
 * than its column's type.
 */
type Candidate =
  | { readonly name?: string; readonly value: string }
  | { readonly name: string; readonly fits?: (raw: string) => string };

function candidatesOf({ type, of, fields }: ItemColumn, present: ReadonlySet<string>): Candidate[] {
  const json = named[of];
  if (of === 'key' || of === 'outer key') return [{ value: json }];
  if (fields === undefined) {
    return [{ value: type === 'jsonb' ? json : `json_extract_string(${json}, '$')` }];
  }
  return fields
    .filter((field) => present.has(field))
    .map((field): Candidate => {
      const pointer = literal(`/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`);
      if (type === 'jsonb') return { name: field, value: `json_extract(${json}, ${pointer})` };
      if (type !== 'text') return { name: field };
      // Whether it is a text or a number. Only a text can look like something else.
      const fits = (
        raw: string,
      ): string => `(case when left(${raw}, 1) in ('{', '[') or ${raw} in ('true', 'false')
      then json_type(${json}, ${pointer}) = 'VARCHAR' else true end)`;
      return { name: field, fits };
    });
}
