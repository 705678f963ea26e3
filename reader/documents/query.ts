/**
 * The query of documents' lines: from lines as they stand in the files to the rows of the root table, and what is wrong
 * with them. Pure.
 *
 * Each line is parsed once, into its fields. What rows lie within is kept as JSON; within.ts unfolds it.
 */

import type { DocumentTable } from '../../vendors/table.js';
import { notJson } from '../bad-lines.js';
import { rawOf, type Fields } from './fields.js';
import { fieldMasks } from './masks.js';
import { noLongNumbers, type LongNumbers } from './numbers.js';
import type { GroupPiece } from './pieces.js';
import { identifier, literal } from '../duckdb.js';
import { objectsOf } from '../json-pieces.js';
import { shown } from '../nested/level-query.js';
import { isKept } from '../masks/fates.js';
import { columnFate, extraFate, maskExtra, maskLine } from '../masks/rows.js';
import { maskTyped } from '../masks/sql.js';
import type { Masks } from '../masks/masks.js';
import { keyFaults } from '../projection.js';
import { jsonFaults, typeColumn, typeJsonExtra, type Fault, type RawColumn, type Typed } from '../typing.js';

/** A field that anything but a scalar is taken from is JSON, any other its text. */
export function fieldsOf(root: DocumentTable, masks: Masks | undefined): Fields {
  const json = new Set([
    ...root.columns.flatMap((column) => ('entriesOf' in column ? [column.entriesOf] : [])),
    ...root.columns.flatMap((column) => (column.type === 'jsonb' ? [column.field] : [])),
    ...root.nested.map(({ within }) => within.field),
  ]);
  const names = [...root.columns.flatMap((column) => ('field' in column ? [column.field] : [])), ...json];
  const fields = [...new Set(names)];
  const nameOf = (field: string): string => `field_${fields.indexOf(field)}`;
  const masked = fieldMasks(masks, root, nameOf);
  return new Map(
    fields.map((name) => [
      name,
      { name, as: nameOf(name), type: json.has(name) ? 'JSON' : 'VARCHAR', mask: masked.get(name) },
    ]),
  );
}

/** Where the value of a field is taken from the parsed line, before anything is made of it. */
function taken({ name }: RawColumn): string {
  return `known.${identifier(name)}`;
}

/** Of a line that has such: the fields that the table has no column for, as a JSON object. */
function extraOf(fields: Fields): string {
  const nothing = JSON.stringify(Object.fromEntries([...fields.keys()].map((name) => [name, null])));
  return `case when has_unknown then json_merge_patch(json, ${literal(nothing)})::varchar end`;
}

/**
 * Query for the sequences of keys that the lines of a piece have. There are few, so that no line has to be looked through
 * for itself for an unknown key or one that is there twice: to do so takes 12 µs a line.
 */
export function keysOfLinesQuery(piece: GroupPiece): string {
  return `select distinct json_keys(json) as keys from ${objectsOf(piece)}`;
}

/** Query for those, out of the table `line_keys`, that hold an unknown key or one twice. */
export function oddKeysQuery(fields: Fields): string {
  const known = `[${[...fields.keys()].map(literal).join(', ')}]`;
  return `select * from (
    select keys, not list_has_all(${known}, keys) as has_unknown, list_unique(keys) < len(keys) as has_twice from line_keys
  )
  where has_unknown or has_twice`;
}

/**
 * Expressions over DuckDB's table of lines that yield the root table's columns, as they stand in the file. `many` names the tables of lines of which a
 * column for entries is true, by the column.
 */
export function valuesOf(
  root: DocumentTable,
  fields: Fields,
  numbers: LongNumbers,
  many: ReadonlyMap<string, string>,
): readonly string[] {
  const kept = keptFields(root, fields);
  return root.columns.map((column, index) => {
    if ('entriesOf' in column) {
      const table = many.get(column.name);
      return table === undefined ? 'false' : `(seq in (select seq from ${table}))`;
    }
    const raw = column.type === 'jsonb' ? rawOf(fields, column.field).as : undefined;
    // It is in that table as it was parsed, and need not be there twice.
    return raw !== undefined && kept.has(raw) ? `${numbers.plain(raw)}::varchar` : `value_${index}`;
  });
}

/** The same with what is masked. */
export function maskedValues(
  root: DocumentTable,
  fields: Fields,
  numbers: LongNumbers,
  many: ReadonlyMap<string, string>,
  masks: Masks | undefined,
): readonly string[] {
  return valuesOf(root, fields, numbers, many).map((value, index) => {
    const column = root.columns[index];
    if (column === undefined || 'entriesOf' in column) return value;
    const { mask } = rawOf(fields, column.field);
    if (column.type === 'jsonb') return mask ? `${numbers.plain(mask.as)}::varchar` : value;
    return maskTyped(column.type, value, columnFate(masks, root.name, column.name));
  });
}

/** Raw values of the fields that rows lie within, or whose entries are counted. */
function keptFields(root: DocumentTable, fields: Fields): ReadonlySet<string> {
  const names = [
    ...root.nested.map(({ within }) => within.field),
    ...root.columns.flatMap((column) => ('entriesOf' in column ? [column.entriesOf] : [])),
  ];
  return new Set(names.map((name) => rawOf(fields, name).as));
}

/**
 * Query for DuckDB's table of lines: `seq`, which line of the piece, `file_id`, `line`, values, raw values of fields that
 * hold rows, `extra`, and `fault`, why the line cannot be loaded. `place` tells of each `seq` what line of which file it is;
 * `odd`, where given, is the table of odd keys.
 */
export function linesQuery(
  root: DocumentTable,
  fields: Fields,
  piece: GroupPiece,
  numbers: LongNumbers,
  odd: boolean,
  masks: Masks | undefined,
): string {
  const columns = root.columns.flatMap((column, index): (Typed & { readonly as: string })[] => {
    if ('entriesOf' in column) return [];
    const as = `value_${index}`;
    const raw = rawOf(fields, column.field);
    // What was parsed is JSON.
    if (column.type === 'jsonb') {
      return [
        {
          as,
          value: `${numbers.plain(raw.as)}::varchar`,
          faults: jsonFaults({ name: column.field }, 'JSON', as),
        },
      ];
    }
    const text = raw.type === 'JSON';
    const from = text ? { ...raw, as: `json_extract_string(${raw.as}, '$')`, type: 'VARCHAR' } : raw;
    const masked = !isKept(columnFate(masks, root.name, column.name));
    const typed = typeColumn(column, { ...from, as: numbers.plain(from.as), masked }, as);
    const ofKey = column.name === root.key ? keyFaults(column.field, as, true) : [];
    return [{ as, value: typed.value, faults: [...typed.faults, ...ofKey] }];
  });
  const extra = odd ? typeJsonExtra(numbers.plain(extraOf(fields)), 'extra') : { value: 'null', faults: [] };
  const faults = [
    ...lineFaults(numbers, odd),
    ...root.nested.flatMap(({ within }) => nestedFaults(root, within, rawOf(fields, within.field), masks)),
    ...[...columns, extra].flatMap((column) => column.faults),
  ];
  const structure = JSON.stringify(
    Object.fromEntries([...fields.values()].map(({ name, type }) => [name, type])),
  );
  const raw = [...fields.values()].map((field) => `${taken(field)} as ${field.as}`);
  const extraLeft =
    odd && !isKept(extraFate(masks, root))
      ? `${numbers.plain(maskExtra(masks, root, extraOf(fields)))} as extra`
      : 'extra';
  const kept = [
    ...new Set(
      valuesOf(root, fields, noLongNumbers, new Map()).filter((value) => value.startsWith('value_')),
    ),
  ];
  return `with source as (
    select seq, file_id, line, json as written, ${numbers.marked('json')} as json
    from (select row_number() over () as seq, json from ${objectsOf(piece)}) join place using (seq)
    where json is null or json::varchar <> ${literal(piece.blank)}
  ),
  parsed as (
    select source.*, from_json(json, ${literal(structure)}) as known${odd ? ', odd.has_unknown, odd.has_twice' : ''}
    from source${odd ? ' left join odd on json_keys(json) = odd.keys' : ''}
  ),
  raw as (select * exclude (known), ${raw.join(', ')} from parsed),
  typed as (
    select *, ${columns.map(({ value, as }) => `${value} as ${as}`).join(',\n      ')}, ${extra.value} as extra
    from raw
  )
  select seq, file_id, line, ${[...kept, ...keptFields(root, fields), extraLeft].join(', ')}, ${faultOf(faults)}
  from typed`;
}

/**
 * Queries that each add to DuckDB's table of lines what is left of a masked field. They are apart from the others' query so
 * that only one field is in parts at a time.
 */
export function maskQueries(fields: Fields): readonly string[] {
  return [...fields.values()].flatMap(({ mask }) =>
    mask ? [`select *, ${mask.json} as ${mask.as} from document`] : [],
  );
}

/**
 * Query for what is kept of the bad lines of a piece, which are in DuckDB's table `bad_line`: `seq` and `masked`, which is null
 * for what is no object or has a key twice.
 */
export function badLinesQuery(
  root: DocumentTable,
  piece: GroupPiece,
  numbers: LongNumbers,
  masks: Masks,
): string {
  const left = numbers.plain(maskLine(masks, root, 'json'));
  return `select seq, case when starts_with(json::varchar, '{') and not contains(fault, ' has a key twice')
      then ${left} end as masked
    from (
      select seq, fault, ${numbers.marked('json')} as json
      from (select row_number() over () as seq, json from ${objectsOf(piece)}) join bad_line using (seq)
    )`;
}

/** The first fault of a row, as `fault`. */
export function faultOf(faults: readonly Fault[]): string {
  const cases = faults.map(({ when, reason }) => `when ${when} then ${reason}`);
  return cases.length === 0 ? 'null::varchar as fault' : `case ${cases.join('\n    ')} end as fault`;
}

function lineFaults(numbers: LongNumbers, odd: boolean): Fault[] {
  const twice: Fault = { when: 'has_twice', reason: literal('the line has a key twice') };
  return [
    { when: 'json is null', reason: literal(notJson) },
    { when: `not starts_with(json::varchar, '{')`, reason: literal('the line is JSON, but no object') },
    ...(odd ? [twice] : []),
    ...numbers.faults('written'),
  ];
}

/** What is wrong with a field that holds rows, where its form is promised. */
function nestedFaults(
  root: DocumentTable,
  { field, as }: DocumentTable['nested'][number]['within'],
  raw: RawColumn,
  masks: Masks | undefined,
): readonly Fault[] {
  const notObject: Fault = {
    when: `not starts_with(${raw.as}, '{')`,
    reason: shown(`${field} is not an object`, raw.as, masks),
  };
  const isColumn = root.columns.some((column) => column.type === 'jsonb' && column.field === field);
  return [
    ...(as === 'map' ? [notObject] : []),
    ...(isColumn ? [] : jsonFaults({ name: field }, 'JSON', raw.as)),
  ];
}
