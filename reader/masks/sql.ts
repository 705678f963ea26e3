/**
 * SQL that leaves out or hashes values. DuckDB has SHA-256 and no HMAC, so that is put together here; the key is bound to
 * variables and stands in no query. Pure.
 */

import type { StoredType } from '../../vendors/table.js';
import { literal } from '../duckdb.js';
import { isKept, type Fate, type Within } from './fates.js';

/** Variables that hold the key as the two hashes of an HMAC begin with it. */
export const keyVariables = { inner: 'mask_inner', outer: 'mask_outer' } as const;

const pairsOf = (json: string): string => `map_entries(from_json(${json}, '"MAP(VARCHAR, JSON)"'))`;

/**
 * Statements that come before any of the expressions below. JSON is put together as text: a map takes no key twice, which
 * a vendor's JSON may have. What JSON is not of the form that it is asked for is null, and the next is tried: a CASE around
 * a lambda takes twice as long.
 *
 * `mask_json_0` hashes a value that a rule names: of an object each value, of a list each entry. `mask_json_1` hashes one
 * that lies in an object: of a list each entry. What lies deeper is hashed as it is written, by `mask_json_2`. null stays
 * null, and keys stay.
 */
export const macros: readonly string[] = [
  `create or replace temp macro mask_text(plain) as sha256(
    getvariable('${keyVariables.outer}') || unhex(sha256(getvariable('${keyVariables.inner}') || encode(plain))))`,
  writtenMacro((plain) => plain),
  `create or replace temp macro mask_json_2(plain) as
    case json_type(plain) when 'NULL' then 'null' else '"' || mask_text(mask_written(plain ->> '$')) || '"' end`,
  `create or replace temp macro mask_json_1(plain) as coalesce(
    to_json(list_transform(from_json(plain, '["VARCHAR"]'), lambda entry: mask_text(mask_written(entry))))::varchar,
    mask_json_2(plain))`,
  // DuckDB gives null for a value that is null in JSON.
  `create or replace temp macro mask_json_0(plain) as coalesce(
    '{' || array_to_string(list_transform(${pairsOf('plain')},
      lambda pair: to_json(pair.key)::varchar || ':' || coalesce(mask_json_1(pair.value), 'null')), ',') || '}',
    mask_json_1(plain))`,
  // What is left out of a list is null, so that the others keep their places.
  `create or replace temp macro mask_entries(plain) as coalesce(
    list_transform(${pairsOf('plain')}, lambda pair:
      {key: pair.key, value: pair.value, name: to_json(pair.key)::varchar || ':', absent: null::varchar}),
    list_transform(from_json(plain, '["JSON"]'), lambda entry, place:
      {key: (place - 1)::varchar, value: entry, name: '', absent: 'null'}))`,
  `create or replace temp macro mask_joined(plain, items) as case json_type(plain) when 'OBJECT' then '{' else '[' end
    || array_to_string(list_filter(items, lambda item: item is not null), ',')
    || case json_type(plain) when 'OBJECT' then '}' else ']' end`,
];

/** Says anew what the macros above hash of a text out of JSON, where something has been done to its numbers. */
export function writtenMacro(written: (plain: string) => string): string {
  return `create or replace temp macro mask_written(plain) as ${written('plain')}`;
}

/** Text that is JSON, or null. A plain cast may be moved before the question whether it is, and then ends the query. */
export function asJson(text: string): string {
  return `try_cast(${text} as json)`;
}

/** JSON as text from JSON, as expressions; null for what is left out. */
export function maskJson(json: string, fate: Fate, nesting = 0): string {
  const { treatment, depth, within } = fate;
  if (isKept(fate)) return `(${json})::varchar`;
  if (within) return maskWithin(json, within, maskJson(json, { treatment, depth }, nesting), nesting);
  return treatment === 'drop' ? 'null::varchar' : `mask_json_${Math.min(depth, 2)}(${json})`;
}

/** Values that hold others, by what becomes of these; `otherwise` is of those that hold none. */
function maskWithin(json: string, { keys, others }: Within, otherwise: string, nesting: number): string {
  const entry = `entry_${nesting}`;
  // Of a key or a place that is there.
  const there = `coalesce(${entry}.value, 'null'::json)`;
  const value = byKey(`${entry}.key`, keys, others, (fate) => maskJson(there, fate, nesting + 1));
  const items = `list_transform(mask_entries(${json}),
    lambda ${entry}: ${entry}.name || coalesce(${value}, ${entry}.absent))`;
  return `coalesce(mask_joined(${json}, ${items}), ${otherwise})`;
}

/** An expression by the key of a value, in whatever case it is written. */
export function byKey(key: string, keys: Within['keys'], others: Fate, of: (fate: Fate) => string): string {
  const otherwise = of(others);
  const named = new Map<string, string[]>();
  for (const [name, fate] of keys) {
    const value = of(fate);
    if (value !== otherwise) named.set(value, [...(named.get(value) ?? []), name]);
  }
  if (named.size === 0) return otherwise;
  const cases = [...named].map(
    ([value, names]) => `when lower(${key}) in (${names.map(literal).join(', ')}) then ${value}`,
  );
  return `case ${cases.join(' ')} else ${otherwise} end`;
}

/**
 * A typed value of a column; of jsonb, JSON as text. `key` yields the key of the pair whose value it is, which then is the
 * first step of a rule's path.
 */
export function maskTyped(type: StoredType, value: string, fate: Fate, key?: string): string {
  if (isKept(fate)) return value;
  if (type === 'jsonb') return maskJson(asJson(value), fate);
  if (fate.within && key !== undefined) {
    const { keys, others } = fate.within;
    return byKey(key, keys, others, (inner) => maskTyped(type, value, { ...inner, depth: 0 }));
  }
  return fate.treatment === 'hash' ? `mask_text(${value})` : fate.treatment === 'drop' ? 'null' : value;
}
