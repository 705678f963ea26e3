/** The query of a level: from rows as they stand in the file to typed ones, and what is wrong with their lines. Pure. */

import type { Column, ColumnType, NestedTable, Table } from '../../vendors/table.js';
import { notJson } from '../bad-lines.js';
import { identifier, literal } from '../duckdb.js';
import { calledAs, fieldsOf, type Fields } from './fields.js';
import { isKept, type Fate } from '../masks/fates.js';
import { columnFate } from '../masks/rows.js';
import type { Masks } from '../masks/masks.js';
import type { Piece } from '../pieces.js';
import { keyFaults, partFaults } from '../projection.js';
import { typeColumn, typeJsonExtra, type Fault, type RawColumn } from '../typing.js';

/** A column as it is taken from the row that the row lies in. */
export interface GivenColumn {
  /** What `source` calls it. */
  readonly as: string;
  readonly type: ColumnType;
  readonly fate: Fate;
}

/** Rows as they stand in the file. */
export interface Rows {
  readonly table: Table;
  readonly masks: Masks | undefined;
  /** DuckDB's table. */
  readonly name: string;
  /** Query: `line`, places, what is `given`, and the row: JSON called `object`, or the pair of a map called `pair`. */
  readonly source: (piece: Piece) => string;
  readonly row: 'object' | 'pair';
  /** Columns of the table that the row does not hold itself. */
  readonly given: ReadonlyMap<string, GivenColumn>;
  /** Fields on the way from the line to the row. `place_1`, `place_2` … say which row of each it is, from 1. */
  readonly path: readonly string[];
  readonly inner: readonly NestedTable[];
  /** Columns that are the same in each row. */
  readonly fixed: Readonly<Record<string, string>>;
  /** Columns besides the key without which a row is a bad one. */
  readonly required: readonly string[];
}

/**
 * The steps build on one another: `source`, `parsed` (objects alone), `raw`, `typed`, and `counted` where rows within
 * these have to be numbered.
 */
export function levelQuery(rows: Rows): (piece: Piece) => string {
  const { table, masks, given, path, inner, row } = rows;
  const values = table.columns.map((column, index) => typedColumn(rows, column, index));
  const fields = row === 'object' ? fieldsOf(table, values, inner) : undefined;
  const extra = fields ? typeJsonExtra(extraOf(fields), 'extra') : { value: 'null', faults: [] };
  const faults = [
    ...(row === 'object' ? objectFaults(rows) : []),
    ...inField(path, [
      ...inner.flatMap((within, index) => innerFaults(within, index, masks)),
      ...[...values, extra].flatMap(({ faults }) => faults),
    ]),
  ];
  const fault = faults.map(({ when, reason }) => `when ${when} then ${reason}`).join('\n    ');
  const steps = fields ? objectSteps(fields) : pairStep(values.map(({ raw }) => raw));
  const { before, counted } = numbering(path, inner);
  const columns = [
    'line',
    ...placesOf(path),
    ...[...given.values()].map(({ as }) => as),
    ...values.map(({ as }) => as),
    'extra',
    ...inner.map((_, index) => `inner_${index}`),
    ...before,
    `case ${fault} end as fault`,
  ];
  return (piece) => `
  with source as (${rows.source(piece)}),
  ${steps},
  typed as (
    select *, ${[...values.map(({ value, as }) => `${value} as ${as}`), `${extra.value} as extra`].join(',\n      ')}
    from raw
  )${counted}
  select ${columns.join(', ')}
  from ${counted === '' ? 'typed' : 'counted'}`;
}

function typedColumn({ table, masks, row, required }: Rows, column: Column, index: number) {
  const type = row === 'object' && column.type === 'jsonb' ? 'JSON' : 'VARCHAR';
  const masked = !isKept(columnFate(masks, table.name, column.name));
  const raw = { name: column.field, as: `raw_${index}`, type, masked } as const;
  const as = `value_${index}`;
  const of = { raw, ...(column.older === undefined ? {} : { older: column.older }) };
  const { called } = calledAs(of);
  const { value, faults } = typeColumn(column, { ...raw, called }, as);
  const ofKey = [
    ...(column.name === table.key ? keyFaults(column.field, as, true, called) : []),
    ...(required.includes(column.name) ? partFaults(column, as, called) : []),
  ];
  return { ...of, as, value, faults: [...faults, ...ofKey] };
}

/** Only a row with more keys than known fields have values may have others, have one twice, or have the wrong kind of list. */
function objectSteps({ structure, present, taken }: Fields): string {
  return `parsed as (
    select *, from_json(object, ${literal(structure)}) as known, json_keys(object) as keys from source
  ),
  raw as (
    select * exclude (known), len(keys) > ${present} as has_more,
      ${taken.join(', ')}
    from parsed
  )`;
}

function pairStep(raw: readonly RawColumn[]): string {
  const fields = raw.map(({ name, as }) => `pair.${identifier(name)} as ${as}`);
  return `raw as (select *, ${fields.join(', ')} from source)`;
}

/**
 * The fields of an object that the table has no column for, as JSON. A row has more keys than values where some are null,
 * too, as most are of Dynatrace's actions, so the keys are looked at before the object is taken apart. It is asked for those
 * fields alone: to take all others away (`json_merge_patch`) takes twice the time for objects of two fields, and 512 MB for
 * 100,000 of them.
 */
function extraOf({ unknown }: Fields): string {
  const pointer = `'/' || replace(replace(name, '~', '~0'), '/', '~1')`;
  const fields = `list_transform(unknown, lambda name : {'key': name, 'value': json_extract(object, ${pointer})})`;
  return `case when has_more then case when len(${unknown}) > 0
    then list_transform([${unknown}], lambda unknown : to_json(map_from_entries(${fields}))::varchar)[1] end end`;
}

function objectFaults({ path, masks }: Rows): Fault[] {
  const notObject = `not coalesce(starts_with(object::varchar, '{'), false)`;
  const twice = 'case when has_more then len(list_distinct(keys)) < len(keys) end';
  if (path.length === 0) {
    return [
      { when: 'object is null', reason: literal(notJson) },
      { when: notObject, reason: literal('the line is JSON, but no object') },
      { when: twice, reason: literal('the line has a key twice') },
    ];
  }
  const place = placeIn(path);
  return [
    {
      when: notObject,
      reason: `${place} || ${shown(' is not an object', `coalesce(object, 'null')`, masks)}`,
    },
    { when: twice, reason: `${place} || ' has a key twice'` },
  ];
}

function innerFaults(
  { within: { field, as } }: NestedTable,
  index: number,
  masks: Masks | undefined,
): Fault[] {
  const pointer = literal(`/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  const [type, what] = as === 'list' ? ['ARRAY', 'a list'] : ['OBJECT', 'an object'];
  const ofKind: Fault = {
    when: `case when has_more and inner_${index} is null and list_contains(keys, ${literal(field)})
      then json_type(object, ${pointer}) not in ('${type}', 'NULL') end`,
    reason: shown(`${field} is not ${what}`, `json_extract(object, ${pointer})`, masks),
  };
  const keys = `map_keys(inner_${index})`;
  const twice: Fault = {
    when: `case when cardinality(inner_${index}) > 1 then len(list_distinct(${keys})) < len(${keys}) end`,
    reason: literal(`${field} has a key twice`),
  };
  return as === 'list' ? [ofKind] : [ofKind, twice];
}

/** What stands in the place of rows is shown unless anything is masked: no rule tells what it is. */
export function shown(fault: string, json: string, masks: Masks | undefined): string {
  return masks ? literal(`${fault} (masked)`) : `${literal(`${fault}: `)} || left((${json})::varchar, 80)`;
}

/** Faults of fields, with the object that has them: `states[2].events[1].time is not …`, counted from 1. */
function inField(path: readonly string[], faults: readonly Fault[]): readonly Fault[] {
  if (path.length === 0) return faults;
  return faults.map(({ when, reason }) => ({ when, reason: `${placeIn(path)} || '.' || ${reason}` }));
}

export function placesOf(path: readonly string[]): string[] {
  return path.map((_, index) => `place_${index + 1}`);
}

function placeIn(path: readonly string[]): string {
  const parts = path.map(
    (field, index) => `${literal(`${index > 0 ? '.' : ''}${field}[`)} || place_${index + 1} || ']'`,
  );
  return parts.join(' || ');
}

/**
 * How many rows of its line lie in the rows before a row, of each of the tables within: the running number of all before
 * it, less that of its line's first row, which is the largest of such so far. In a stream, so that nothing is sorted.
 */
function numbering(
  path: readonly string[],
  inner: readonly NestedTable[],
): { readonly before: readonly string[]; readonly counted: string } {
  const counted = inner.map(({ within }, index) => {
    const count = within.as === 'list' ? `len(inner_${index})` : `cardinality(inner_${index})`;
    return `coalesce(${count}, 0)::bigint`;
  });
  if (path.length === 0) {
    // Of the line's rows those that lie in earlier fields come before.
    const before = inner.map(({ name }, index) => {
      const earlier = counted.filter((_, other) => other < index && inner[other]?.name === name);
      return `${earlier.join(' + ') || '0'} as before_${index}`;
    });
    return { before, counted: '' };
  }
  if (inner.length === 0) return { before: [], counted: '' };
  const soFar = 'over (rows between unbounded preceding and current row)';
  const counts = counted.map((count, index) => `${count} as count_${index}`);
  const running = inner.map(
    (_, index) => `(sum(count_${index}) ${soFar})::bigint - count_${index} as running_${index}`,
  );
  return {
    before: inner.map(
      (_, index) =>
        `running_${index} - max(case when ordinal = 1 then running_${index} end) ${soFar} as before_${index}`,
    ),
    counted: `,
  counted as (
    select *, ${running.join(', ')}
    from (select *, ${counts.join(', ')} from typed)
  )`,
  };
}
