/**
 * How a value of a file's column becomes one that Postgres takes for a table's column, and what keeps it from it. Pure.
 *
 * Expressions name the file's value by the column's `as`, and the typed value by the name it is given.
 */

import type { Column, StoredType } from '../vendors/table.js';
import { literal } from './duckdb.js';

export interface FileColumn {
  readonly name: string;
  /** DuckDB's name of the type: `VARCHAR`, `STRUCT(…)[]`, `TIMESTAMP`. */
  readonly type: string;
  /** Expression over the file that yields it; its name where there is none. */
  readonly from?: string;
}

/** A column of the file, and its name within the query. */
export interface RawColumn extends FileColumn {
  readonly as: string;
  /** What reasons call it, as an expression, where that differs from row to row; else its name. */
  readonly called?: string | undefined;
  /** No reason may quote its values. */
  readonly masked?: boolean;
}

export interface Typed {
  /** Expression over the file's columns. */
  readonly value: string;
  readonly faults: readonly Fault[];
}

/** What makes a row a bad one: a condition, and the reason as an expression, both over raw and typed values. */
export interface Fault {
  readonly when: string;
  readonly reason: string;
}

/** Types of a file by what may be made of them. */
type Family = 'text' | 'binary' | 'integer' | 'fraction' | 'boolean' | 'instant' | 'nested' | 'other';

function familyOf(type: string): Family {
  if (/[\][]$|^(STRUCT|MAP|UNION)\(/.test(type)) return 'nested';
  if (type === 'VARCHAR' || type === 'JSON' || type.startsWith('ENUM(')) return 'text';
  if (type === 'BLOB') return 'binary';
  if (/^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/.test(type)) return 'integer';
  if (/^(FLOAT$|DOUBLE$|DECIMAL\()/.test(type)) return 'fraction';
  if (type === 'BOOLEAN') return 'boolean';
  if (type.startsWith('TIMESTAMP') || type === 'DATE') return 'instant';
  return 'other';
}

/** A column to be typed, and whether a value that cannot be is null instead of a fault. */
type TypedAs = { readonly type: StoredType } & Pick<Column, 'unit' | 'lenient'>;

/** `value` is the name that the typed value is given. */
export function typeColumn(as: TypedAs, column: RawColumn, value: string): Typed {
  if (as.lenient !== true) return typeStrictly(as, column, value);
  const typed = typeStrictly(as, column, value).value;
  // The faults are of the value itself here, since what is given the name is what they leave of it.
  const faults = typeStrictly(as, column, `(${typed})`).faults.map(({ when }) => when);
  // Elsewhere a fraction of a millisecond is rounded; here a number may be no instant at all.
  if (as.type === 'timestamptz' && as.unit === undefined && familyOf(column.type) === 'text') {
    faults.push(`(try_cast(${column.as} as bigint) is not null and not ${isWhole(column)})`);
  }
  return {
    value: faults.length === 0 ? typed : `case when ${faults.join(' or ')} then null else ${typed} end`,
    faults: [],
  };
}

function typeStrictly({ type, unit }: Omit<TypedAs, 'lenient'>, column: RawColumn, value: string): Typed {
  const family = familyOf(column.type);
  const convert = unit === 'seconds' ? typeSeconds : converters[type];
  if (family !== 'binary') return convert(column, family, value);
  // Old writers do not say of their bytes that they are text.
  const decoded = `try(decode(${column.as}))`;
  const typed = convert({ ...column, as: decoded, type: 'VARCHAR' }, 'text', value);
  const notText = refuse(column, `${decoded} is null`, 'text in UTF-8');
  return { value: typed.value, faults: [notText, ...typed.faults] };
}

type Converter = (column: RawColumn, family: Family, value: string) => Typed;

const converters: Readonly<Record<StoredType, Converter>> = {
  text: typeText,
  jsonb: typeJson,
  timestamptz: typeTimestamp,
  bigint: typeBigint,
  'double precision': typeDouble,
  numeric: typeNumeric,
  boolean: typeBoolean,
};

function typeText(column: RawColumn, family: Family, value: string): Typed {
  if (family === 'nested') return { value: `to_json(${column.as})::varchar`, faults: [] };
  if (family !== 'text') return { value: `${column.as}::varchar`, faults: [] };
  const nul = {
    when: `contains(${value}, chr(0))`,
    reason: saying(column, ' holds the character NUL'),
  };
  return { value: column.type === 'VARCHAR' ? column.as : `${column.as}::varchar`, faults: [nul] };
}

function typeJson(column: RawColumn, family: Family, value: string): Typed {
  if (family !== 'text') {
    return { value: `to_json(${column.as})::varchar`, faults: jsonFaults(column, column.type, value) };
  }
  const valid = refuse(column, `not json_valid(${value})`, 'JSON');
  return {
    value: `${column.as}::varchar`,
    faults: [valid, ...jsonFaults(column, 'JSON', value)],
  };
}

/**
 * What DuckDB takes for JSON and jsonb does not. `type` says whether numbers without a value can occur. The dear half of
 * each condition stands in a CASE, which spares it the rows that cannot have the fault: 0.9 s of 2.7 s for 500,000 rows.
 */
export function jsonFaults(field: Named, type: string, json: string): Fault[] {
  // `\u0000` is the character unless the backslash is itself escaped.
  const nul = {
    when: `case when contains(${json}, '\\u0000') then regexp_matches(${json}, '(^|[^\\\\])(\\\\\\\\)*\\\\u0000') end`,
    reason: saying(field, ' holds the character NUL'),
  };
  if (!/FLOAT|DOUBLE|JSON/.test(type)) return [nul];
  // NaN and Infinity, a comma before a closing bracket, and exponents beyond Postgres' numeric; outside of strings.
  const suspect = `(?i)nan|inf|,\\s*[\\]}]|e[+-]?\\d{5}`;
  const withoutStrings = `regexp_replace(${json}, '"([^"\\\\]|\\\\.)*"', '""', 'g')`;
  const refused = {
    when: `case when regexp_matches(${json}, '${suspect}') then regexp_matches(${withoutStrings}, '${suspect}') end`,
    reason: saying(field, ' holds what is no JSON to Postgres, such as NaN or Infinity'),
  };
  return [nul, refused];
}

/** The vendor's pages call instants "long (time millis)"; its files carry them as timestamps. Both are taken. */
function typeTimestamp(column: RawColumn, family: Family, value: string): Typed {
  const milliseconds = `try(epoch_ms(try_cast(${column.as} as bigint)))`;
  const expressions: Readonly<Partial<Record<Family, string>>> = {
    instant: `${column.as}::timestamp`,
    integer: milliseconds,
    fraction: milliseconds,
    // By way of timestamptz, since a cast to timestamp passes over `+02:00`. A cast from there asks a calendar, which takes
    // 0.21 µs instead of 0.05 µs, and ends the query for a year beyond 290,000.
    // A number is looked for first, which costs a date 0.02 µs and spares a number 0.25 µs; nothing is both.
    text: `coalesce(${milliseconds}, make_timestamp(epoch_us(try_cast(${column.as}::varchar as timestamptz))))`,
  };
  return inYears(column, expressions[family], value);
}

/**
 * A number of seconds, or else an instant as people write it. What was written is rounded to the millisecond once, the
 * half away from zero, and not by way of a double, which is off at the half. DuckDB's decimals are so for up to 20 digits
 * behind the point; of a ten-thousandth of a second with an exponent (9.2E-5) they make a thousandth.
 */
function typeSeconds(column: RawColumn, family: Family, value: string): Typed {
  if (family === 'nested' || family === 'other' || family === 'boolean') {
    return inYears(column, undefined, value);
  }
  const text = `${column.as}::varchar`;
  // The digits before an exponent have to fit too, of `1591474962721000E-6` for one; 38 of them take 30 times as long.
  const decimal = `coalesce(try_cast(${text} as decimal(15, 3)),
      try_cast(try_cast(${text} as decimal(38, 3)) as decimal(15, 3)))`;
  const number = `epoch_ms((${decimal} * 1000)::bigint)`;
  const written = `try_cast(${text} as timestamptz)::timestamp + interval 500 microseconds`;
  return inYears(
    column,
    `coalesce(${number}, try(date_trunc('milliseconds', ${written})))`,
    value,
    // DuckDB's own way of writing long numbers, 1_000.
    `contains(${text}, '_')`,
  );
}

/** Years that Postgres or people cannot read come from a unit mistaken by the sender. */
function inYears(column: RawColumn, expression: string | undefined, value: string, unless = 'false'): Typed {
  const what = 'an instant between the years 1 and 9999';
  if (expression === undefined) return mismatch(column, what);
  const wrong = `${value} not between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'`;
  return {
    value: expression,
    faults: [refuse(column, `(${value} is null or ${wrong} or ${unless})`, what)],
  };
}

function typeBigint(column: RawColumn, family: Family, value: string): Typed {
  if (/^U?(TINYINT|SMALLINT|INTEGER)$|^BIGINT$/.test(column.type)) return { value: column.as, faults: [] };
  // A cast rounds 1.5 to 2: such a value is refused rather than changed.
  const changed: Readonly<Partial<Record<Family, string>>> = {
    integer: 'false',
    fraction: `trunc(${column.as}) <> ${column.as}`,
    // The usual text is the number's own, which spares it the pattern.
    text: `case when ${value}::varchar <> ${column.as}::varchar then not ${isWhole(column)} else false end`,
  };
  const what = 'a whole number of 64 bits';
  const condition = changed[family];
  if (condition === undefined) return mismatch(column, what);
  return {
    value: `try_cast(${column.as} as bigint)`,
    faults: [refuse(column, `(${value} is null or ${condition})`, what)],
  };
}

/** JSON's numbers with a fraction have been doubles, which are exact up to 15 digits. */
function isWhole({ as }: RawColumn): string {
  return `regexp_full_match(trim(${as}::varchar), '[+-]?([0-9]+|[0-9]{1,15}[.]0*)')`;
}

function typeDouble(column: RawColumn, family: Family, value: string): Typed {
  if (family !== 'integer' && family !== 'fraction' && family !== 'text') return mismatch(column, 'a number');
  return {
    value: `try_cast(${column.as} as double)`,
    faults: family === 'text' ? [refuse(column, `${value} is null`, 'a number')] : [],
  };
}

/**
 * A number as it is written, with all its digits. The bounds keep it within Postgres' numeric, which has 131,072 digits
 * before the point and 16,383 behind it.
 */
function typeNumeric(column: RawColumn, family: Family, value: string): Typed {
  const what = 'a decimal number that numeric can hold';
  if (family !== 'integer' && family !== 'fraction' && family !== 'text') return mismatch(column, what);
  const text = `trim(${column.as}::varchar)`;
  const decimal = '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,4})?';
  return {
    value: `case when strlen(${text}) <= ${longestNumber} and regexp_full_match(${text}, '${decimal}') then ${text} end`,
    faults: [refuse(column, `${value} is null`, what)],
  };
}

/** Letters of a number that is taken with all its digits. */
export const longestNumber = 5_000;

function typeBoolean(column: RawColumn, family: Family, value: string): Typed {
  if (family === 'boolean') return { value: column.as, faults: [] };
  const what = 'true or false';
  if (family !== 'integer' && family !== 'text') return mismatch(column, what);
  return {
    value:
      family === 'text'
        ? `try_cast(${column.as} as boolean)`
        : `case ${column.as} when 0 then false when 1 then true end`,
    faults: [refuse(column, `${value} is null`, what)],
  };
}

/** A type that nothing can be made of: rows that have no value there are good all the same. */
function mismatch(column: RawColumn, what: string): Typed {
  return { value: 'null', faults: [refuse(column, 'true', what)] };
}

/** A fault of values that are there. */
function refuse(column: RawColumn, when: string, what: string): Fault {
  const quoted = `${saying(column, ` is not ${what}: `)} || left(replace(${column.as}::varchar, chr(0), ''), 80)`;
  return {
    when: `(${column.as} is not null and ${when})`,
    reason: column.masked === true ? saying(column, ` is not ${what} (masked)`) : quoted,
  };
}

/** What reasons call something. */
type Named = Pick<RawColumn, 'name' | 'called'>;

/** A reason as an expression: what it is called, and what is to be said of it. */
export function saying({ name, called }: Named, what: string): string {
  return called === undefined ? literal(`${name}${what}`) : `${called} || ${literal(what)}`;
}

const extraColumn: Named = { name: '_extra' };

/** The columns that the table has none for, as one object; null where all are. */
export function typeExtra(unknown: readonly RawColumn[], value: string): Typed {
  if (unknown.length === 0) return { value: 'null', faults: [] };
  const fields = unknown.map((column) => `${literal(column.name)}: ${column.as}`).join(', ');
  const absent = unknown.map((column) => `${column.as} is null`).join(' and ');
  return {
    value: `case when ${absent} then null else to_json({${fields}})::varchar end`,
    faults: jsonFaults(extraColumn, unknown.map((column) => column.type).join(), value),
  };
}

/** The same, from an expression that yields the object as JSON. */
export function typeJsonExtra(json: string, value: string): Typed {
  return { value: json, faults: jsonFaults(extraColumn, 'JSON', value) };
}
