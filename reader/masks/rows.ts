/** What becomes of the columns of a table, and of a whole line that is kept in the quarantine. Pure. */

import type { Pairs, StoredType } from '../../vendors/table.js';
import {
  dropped,
  fateOf,
  fateWithin,
  isDropped,
  isKept,
  kept,
  leftOut,
  othersWithin,
  stricter,
  type Fate,
} from './fates.js';
import { asJson, maskJson, maskTyped } from './sql.js';
import type { Masks } from './masks.js';

/** A table as `Table`, `RootTable` and `DocumentTable` say it. */
export interface RowsOfLine {
  readonly name: string;
  readonly columns: readonly LineColumn[];
  readonly pairs?: Pairs;
  readonly nested?: readonly RowsWithin[];
}

/** A column without a field holds nothing of the file's. */
interface LineColumn {
  readonly name: string;
  readonly type: StoredType;
  readonly field?: string;
  readonly older?: string;
  readonly lenient?: true;
}

interface RowsWithin extends RowsOfLine {
  readonly within: { readonly field: string; readonly as: 'list' | 'map' | 'items' | 'values' };
}

export function columnFate(masks: Masks | undefined, table: string, column: string): Fate {
  return masks === undefined ? kept : fateOf(masks.rules, table, column);
}

/**
 * Of the fields that a table has no column for: of former names whose value no column has, and of fields that are written in
 * another case than the vendor's. These are masked as their columns are.
 */
export function extraFate(masks: Masks | undefined, table: RowsOfLine): Fate {
  const own = columnFate(masks, table.name, '_extra');
  if (masks === undefined || isDropped(own)) return own;
  const older = table.columns.flatMap((column): [string, Fate][] =>
    column.older === undefined
      ? []
      : [[column.older.toLowerCase(), fieldFate(columnFate(masks, table.name, column.name), column)]],
  );
  const known = [...fieldFates(masks, table), ...older].flatMap(([field, fate]): [string, Fate][] => {
    const strictest = stricter(fate, fateWithin(own, field));
    return isKept(strictest) ? [] : [[field, strictest]];
  });
  if (known.length === 0) return own;
  return {
    ...own,
    within: { keys: new Map([...(own.within?.keys ?? []), ...known]), others: othersWithin(own) },
  };
}

/**
 * Of a typed value. One that is also in another column, as it came, is left out where it is masked there, unless a rule
 * speaks of its own column.
 */
export function typedFate(masks: Masks | undefined, { name, columns }: RowsOfLine, column: LineColumn): Fate {
  const own = columnFate(masks, name, column.name);
  const isNamed = masks?.rules.some((rule) => rule.column === column.name && (rule.table ?? name) === name);
  if (column.lenient !== true || isNamed === true) return own;
  const others = columns.filter(({ field, lenient }) => field === column.field && lenient !== true);
  return others.map((other) => leftOut(columnFate(masks, name, other.name))).reduce(stricter, kept);
}

/** The columns of a row, by the expressions of their typed values. */
export function maskColumns(
  masks: Masks | undefined,
  table: RowsOfLine,
  values: readonly string[],
): readonly string[] {
  if (masks === undefined) return values;
  const { columns, pairs } = table;
  const key = values[columns.findIndex(({ name }) => name === pairs?.key)];
  return columns.map((column, index) =>
    maskTyped(
      column.type,
      values[index] ?? 'null',
      typedFate(masks, table, column),
      isPairValue(table, column) ? key : undefined,
    ),
  );
}

/** Whether a column is made from the value of a pair, so that a rule may speak of one key. */
function isPairValue({ columns, pairs }: RowsOfLine, { field }: LineColumn): boolean {
  return (
    field !== undefined && columns.some((column) => column.name === pairs?.value && column.field === field)
  );
}

/** The object of other fields as `_extra` holds it: JSON as text, null where nothing is left. */
export function maskExtra(masks: Masks | undefined, table: RowsOfLine, extra: string): string {
  const fate = extraFate(masks, table);
  return isKept(fate) ? extra : `nullif(${maskJson(asJson(extra), fate)}, '{}')`;
}

/** A line, as an expression of the JSON of its object, for the quarantine: JSON as text. */
export function maskLine(masks: Masks, table: RowsOfLine, object: string): string {
  return maskJson(object, lineFate(masks, table));
}

/**
 * A field of a line, as an expression of its JSON, before rows are unfolded from it or columns lifted out of it. It is
 * that of the column of this name in the table of the line.
 */
export function maskField(masks: Masks | undefined, table: string, column: LineColumn, json: string): string {
  const fate = fieldFate(columnFate(masks, table, column.name), column);
  return isKept(fate) ? json : `(${maskJson(json, fate)})::json`;
}

/** A text is hashed as it is written, whatever stands there in its place. */
function fieldFate(fate: Fate, { type }: LineColumn): Fate {
  return type === 'jsonb' || isKept(fate) ? fate : { ...fate, depth: 2 };
}

/** Where rows should be, what is none is left out. */
function lineFate(masks: Masks, table: RowsOfLine): Fate {
  const fields = new Map(fieldFates(masks, table));
  const extra = extraFate(masks, table);
  for (const { older } of table.columns) {
    if (older !== undefined) fields.set(older.toLowerCase(), fateWithin(extra, older));
  }
  // A rule for a key of `_extra` is of that field while it has no column.
  for (const key of extra.within?.keys.keys() ?? []) {
    if (!fields.has(key)) fields.set(key, fateWithin(extra, key));
  }
  return { ...dropped, within: { keys: fields, others: othersWithin(extra) } };
}

/** What becomes of the fields that a table has columns for, or that hold rows, by their names in lower case. */
function fieldFates(masks: Masks, table: RowsOfLine): ReadonlyMap<string, Fate> {
  const fields = new Map<string, Fate>();
  for (const column of table.columns) {
    if (column.field === undefined) continue;
    const own = columnFate(masks, table.name, column.name);
    // The key of a pair lies beside its value.
    const fate = own.within && isPairValue(table, column) ? dropped : fieldFate(own, column);
    const field = column.field.toLowerCase();
    fields.set(field, stricter(fields.get(field) ?? kept, fate));
  }
  for (const inner of table.nested ?? []) {
    const rows = rowsFate(masks, inner);
    const field = inner.within.field.toLowerCase();
    const column = fields.get(field) ?? kept;
    // What becomes of it as a column and what of its rows cannot both be written.
    fields.set(field, isKept(column) || isKept(rows) ? stricter(column, rows) : dropped);
  }
  return fields;
}

/** What becomes of a field that holds rows. */
function rowsFate(masks: Masks, rows: RowsWithin): Fate {
  const { within, name, columns } = rows;
  if (within.as === 'list') {
    const others = lineFate(masks, rows);
    return isKeptLine(others) ? kept : { ...dropped, within: { keys: new Map(), others } };
  }
  const fates = columns.map((column) => [column, columnFate(masks, name, column.name)] as const);
  const masked = fates.filter(([, fate]) => !isKept(fate));
  const [first, ...more] = masked;
  if (first === undefined) return kept;
  const [column, fate] = first;
  // A key, and items whose form nobody promised, cannot be masked in their place.
  if (within.as !== 'map' || more.length > 0 || column.field !== 'value') return dropped;
  const { keys, others } = fate.within ?? { keys: new Map<string, Fate>(), others: fate };
  const written = (inner: Fate): Fate => fieldFate(inner, column);
  return {
    ...dropped,
    within: {
      keys: new Map([...keys].map(([key, inner]) => [key, written(inner)])),
      others: written(others),
    },
  };
}

/** Whether all that an object may hold is kept. */
function isKeptLine({ within }: Fate): boolean {
  return within !== undefined && [...within.keys.values(), within.others].every(isKept);
}
