/** What the fields of an object are read as, and which of them a column's value is taken from. Pure. */

import type { NestedTable, Table } from '../../vendors/table.js';
import { identifier, literal } from '../duckdb.js';
import type { RawColumn } from '../typing.js';

/** Fields of a row that is an object. Columns may have one in common; rows lie in one of their own. */
export interface Fields {
  /** What DuckDB's `from_json` makes of the object. */
  readonly structure: string;
  /** Number of fields that have a value, as an expression over `known`, less those that `_extra` keeps. */
  readonly present: string;
  /** What is taken out of `known`, each under a name of its own. */
  readonly taken: readonly string[];
  /** Keys of the object that neither columns nor rows are made of, as a list; an expression over what was taken and `keys`. */
  readonly unknown: string;
}

/** What a column is made from. */
export interface FieldColumn {
  readonly raw: RawColumn & { readonly type: 'VARCHAR' | 'JSON' };
  /** Its former name. */
  readonly older?: string;
}

type Structure = 'VARCHAR' | 'JSON' | readonly ['JSON'] | 'MAP(VARCHAR, VARCHAR)';

/** Throws `RangeError` for a field that is to be two things. */
export function fieldsOf(
  { name: table }: Pick<Table, 'name'>,
  columns: readonly FieldColumn[],
  inner: readonly NestedTable[],
): Fields {
  const structures = new Map<string, Structure>();
  const current = new Map<string, string>();
  for (const { raw, older } of columns) {
    for (const field of older === undefined ? [raw.name] : [raw.name, older]) {
      if (raw.type === 'JSON' || !structures.has(field)) structures.set(field, raw.type);
    }
    if (older !== undefined && (current.get(older) ?? raw.name) !== raw.name) throw twoThings(table, older);
    if (older !== undefined) current.set(older, raw.name);
  }
  for (const { raw } of columns) if (current.has(raw.name)) throw twoThings(table, raw.name);
  for (const { within } of inner) {
    if (structures.has(within.field)) throw twoThings(table, within.field);
    structures.set(within.field, within.as === 'list' ? ['JSON'] : 'MAP(VARCHAR, VARCHAR)');
  }
  const names = [...structures.keys()];
  const present = names.map((field) => {
    const newer = current.get(field);
    const unless = newer === undefined ? '' : ` and ${known(newer)} is null`;
    return `(${known(field)} is not null${unless})::integer`;
  });
  return {
    structure: JSON.stringify(Object.fromEntries(structures)),
    present: present.join(' + '),
    taken: [
      ...columns.flatMap((column) => takenColumn(column, structures)),
      ...inner.map(({ within }, index) => `${known(within.field)} as inner_${index}`),
    ],
    unknown: unknownOf(names, columns),
  };
}

/** How reasons call a column: by the field that its value came from. */
export function calledAs({ raw, older }: FieldColumn): Pick<RawColumn, 'called'> {
  if (older === undefined) return {};
  return { called: `case when ${fromOlder(raw)} then ${literal(older)} else ${literal(raw.name)} end` };
}

function takenColumn({ raw, older }: FieldColumn, structures: ReadonlyMap<string, Structure>): string[] {
  // What another column keeps as JSON is the same text as if it had been read as one.
  const value = (field: string): string =>
    structures.get(field) === 'JSON' && raw.type !== 'JSON' ? `(${known(field)} ->> '$')` : known(field);
  if (older === undefined) return [`${value(raw.name)} as ${raw.as}`];
  return [
    `coalesce(${value(raw.name)}, ${value(older)}) as ${raw.as}`,
    `${known(raw.name)} is null as ${fromOlder(raw)}`,
    `(${known(raw.name)} is not null and ${known(older)} is not null) as ${hasBoth(raw)}`,
  ];
}

/** Of a former name whose value no column has the key counts as unknown. One that is there twice is told of elsewhere. */
function unknownOf(names: readonly string[], columns: readonly FieldColumn[]): string {
  const former = columns.flatMap(({ raw, older }) => (older === undefined ? [] : [{ raw, older }]));
  const always = names.filter((name) => !former.some(({ older }) => older === name));
  const known = `[${always.map(literal).join(', ')}]`;
  const left = former.map(({ raw, older }) => ` and not (name = ${literal(older)} and not ${hasBoth(raw)})`);
  return `list_filter(list_distinct(keys), lambda name : not list_contains(${known}, name)${left.join('')})`;
}

function known(field: string): string {
  return `known.${identifier(field)}`;
}

function fromOlder({ as }: RawColumn): string {
  return `${as}_is_older`;
}

function hasBoth({ as }: RawColumn): string {
  return `${as}_has_both`;
}

function twoThings(table: string, field: string): RangeError {
  return new RangeError(`${table} has the field ${field} for two things`);
}
