/**
 * SQL that leaves out or hashes values. DuckDB has SHA-256 and no HMAC, so that is put together here; the key is bound to
 * variables and stands in no query. Pure.
 */

import type { StoredType } from '../vendors/table.js';
import { literal } from './duckdb.js';
import { isKept, type Fate, type Within } from './mask-fates.js';

/** Variables that hold the key as the two hashes of an HMAC begin with it. */
export const keyVariables = { inner: 'mask_inner', outer: 'mask_outer' } as const;

/** Objects are written as text: a map takes no key twice, which a vendor's JSON may have. Null are those left out. */
const joined = (open: string, items: string, close: string): string =>
  `('${open}' || coalesce(array_to_string(${items}, ','), '') || '${close}')::json`;
const pairsOf = (json: string): string => `map_entries(from_json(${json}, '"MAP(VARCHAR, JSON)"'))`;
/** Of a key or a place that is there. DuckDB gives null for what is null in JSON. */
const valueOf = (pair: string): string => `coalesce(${pair}.value, 'null'::json)`;

/**
 * Statements that come before any of the expressions below. `mask_json_0` hashes a value that a rule names: of an object
 * each value, of a list each entry. `mask_json_1` hashes one that lies in an object: of a list each entry. What lies
 * deeper is hashed as it is written, by `mask_json_2`. null stays null, and keys stay.
 */
export const macros: readonly string[] = [
  `create or replace temp macro mask_text(plain) as sha256(
    getvariable('${keyVariables.outer}') || unhex(sha256(getvariable('${keyVariables.inner}') || encode(plain))))`,
  `create or replace temp macro mask_json_2(plain) as
    case when plain is null or json_type(plain) = 'NULL' then plain else to_json(mask_text(plain ->> '$')) end`,
  `create or replace temp macro mask_json_1(plain) as case json_type(plain)
    when 'ARRAY' then ${joined(
      '[',
      `list_transform(from_json(plain, '["VARCHAR"]'),
        lambda entry: case when entry is null then 'null' else to_json(mask_text(entry))::varchar end)`,
      ']',
    )}
    else mask_json_2(plain) end`,
  `create or replace temp macro mask_json_0(plain) as case json_type(plain)
    when 'OBJECT' then ${joined(
      '{',
      `list_transform(${pairsOf('plain')},
        lambda pair: to_json(pair.key)::varchar || ':' || mask_json_1(${valueOf('pair')})::varchar)`,
      '}',
    )}
    else mask_json_1(plain) end`,
  `create or replace temp macro mask_joined(kind, items) as (case kind when 'OBJECT' then '{' else '[' end
    || coalesce(array_to_string(items, ','), '') || case kind when 'OBJECT' then '}' else ']' end)::json`,
  // What is left out of a list is null, so that the others keep their places.
  `create or replace temp macro mask_entries(plain) as case json_type(plain)
    when 'OBJECT' then list_transform(${pairsOf('plain')}, lambda pair:
      {key: pair.key, value: pair.value, name: to_json(pair.key)::varchar || ':', absent: null::varchar})
    when 'ARRAY' then list_transform(from_json(plain, '["JSON"]'), lambda entry, place:
      {key: (place - 1)::varchar, value: entry, name: '', absent: 'null'})
    end`,
];

/** JSON from JSON, as expressions; null for what is left out. */
export function maskJson(json: string, fate: Fate, nesting = 0): string {
  const { treatment, depth, within } = fate;
  if (isKept(fate)) return json;
  if (within) return maskWithin(json, within, maskJson(json, { treatment, depth }, nesting), nesting);
  return treatment === 'drop' ? 'null::json' : `mask_json_${Math.min(depth, 2)}(${json})`;
}

/** Values that hold others, by what becomes of these; `otherwise` is of those that hold none. */
function maskWithin(json: string, { keys, others }: Within, otherwise: string, nesting: number): string {
  const entry = `entry_${nesting}`;
  const value = byKey(`${entry}.key`, keys, others, (fate) => maskJson(valueOf(entry), fate, nesting + 1));
  const items = `list_transform(mask_entries(${json}),
    lambda ${entry}: ${entry}.name || coalesce((${value})::varchar, ${entry}.absent))`;
  return `case when json_type(${json}) in ('OBJECT', 'ARRAY') then mask_joined(json_type(${json}), ${items})
    else ${otherwise} end`;
}

function byKey(key: string, keys: Within['keys'], others: Fate, of: (fate: Fate) => string): string {
  const otherwise = of(others);
  const named = new Map<string, string[]>();
  for (const [name, fate] of keys) {
    const value = of(fate);
    if (value !== otherwise) named.set(value, [...(named.get(value) ?? []), name]);
  }
  if (named.size === 0) return otherwise;
  const cases = [...named].map(
    ([value, names]) => `when ${key} in (${names.map(literal).join(', ')}) then ${value}`,
  );
  return `case ${cases.join(' ')} else ${otherwise} end`;
}

/**
 * A typed value of a column; of jsonb, JSON as text. `key` yields the key of the pair whose value it is, which then is the
 * first step of a rule's path.
 */
export function maskTyped(type: StoredType, value: string, fate: Fate, key?: string): string {
  if (isKept(fate)) return value;
  if (type === 'jsonb') return `(${maskJson(`${value}::json`, fate)})::varchar`;
  if (fate.within && key !== undefined) {
    const { keys, others } = fate.within;
    return byKey(key, keys, others, (inner) => maskTyped(type, value, { ...inner, depth: 0 }));
  }
  return fate.treatment === 'hash' ? `mask_text(${value})` : fate.treatment === 'drop' ? 'null' : value;
}
