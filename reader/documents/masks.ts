/** What becomes of the values of documents, by where they are read. Pure. */

import type { DocumentTable, ItemColumn, ItemTable, PairTable, ValueColumn } from '../../vendors/table.js';
import type { FieldMask, Fields } from './fields.js';
import {
  beyond,
  dropped,
  fateWithin,
  isKept,
  kept,
  othersWithin,
  stricter,
  type Fate,
} from '../masks/fates.js';
import { columnFate, maskField } from '../masks/rows.js';
import { byKey, maskTyped } from '../masks/sql.js';
import type { Masks } from '../masks/masks.js';

/** By the field. Of several columns that hold it the strictest counts. `rawOf` yields a field's JSON. */
export function fieldMasks(
  masks: Masks | undefined,
  { name, columns }: DocumentTable,
  rawOf: (field: string) => string,
): ReadonlyMap<string, FieldMask> {
  const found = new Map<string, FieldMask>();
  for (const column of columns) {
    if (column.type !== 'jsonb') continue;
    const fate = columnFate(masks, name, column.name);
    const other = found.get(column.field)?.fate ?? kept;
    if (isKept(fate) || stricter(other, fate) !== fate) continue;
    const json = maskField(masks, name, column, rawOf(column.field));
    found.set(column.field, { as: `masked_${column.name}`, json, fate });
  }
  return found;
}

function fieldFate(fields: Fields, field: string): Fate {
  return fields.get(field)?.mask?.fate ?? kept;
}

export interface PairMask {
  /** Whether anything of the column is masked. */
  readonly fate: Fate;
  /** Of a typed value; `key` yields the key of its pair. */
  readonly of: (value: string, key: string) => string;
}

/**
 * What becomes of a column of pairs. They are typed as they stand in the file, so what is to be done to their field is done
 * to their values too; where that is a hash, and the column no text, there is no value.
 */
export function pairMask(
  masks: Masks | undefined,
  fields: Fields,
  { name, within }: PairTable,
  column: ValueColumn,
): PairMask {
  const { type } = column;
  const own = columnFate(masks, name, column.name);
  const ofField = column.field === 'value' ? fieldFate(fields, within.field) : kept;
  const first = typedFate(type, ofField);
  const then = beyond(own, ofField);
  return {
    fate: stricter(ofField, own),
    of: (value, key) => maskTyped(type, maskTyped(type, value, first, key), then, key),
  };
}

/** Of a path by the pair's key, which a value of JSON does not have. */
function typedFate(type: ValueColumn['type'], fate: Fate): Fate {
  if (isKept(fate) || type === 'text') return fate;
  return type === 'jsonb' ? dropped : withoutHashes(fate);
}

function withoutHashes({ treatment, depth, within }: Fate): Fate {
  const own = { treatment: treatment === 'hash' ? 'drop' : treatment, depth } as const;
  if (!within) return own;
  const keys = new Map([...within.keys].map(([key, fate]) => [key, withoutHashes(fate)]));
  return { ...own, within: { keys, others: withoutHashes(within.others) } };
}

/** Whether a pair is left out with its field or its key; undefined where none is. */
export function pairIsGone(fields: Fields, { within }: PairTable, key: string): string | undefined {
  const { keys, others } = withinOf(fieldFate(fields, within.field));
  const gone = byKey(key, keys, others, ({ treatment }) => (treatment === 'drop' ? 'true' : 'false'));
  return gone === 'false' ? undefined : gone;
}

function withinOf(fate: Fate): NonNullable<Fate['within']> {
  return fate.within ?? { keys: new Map<string, Fate>(), others: othersWithin(fate) };
}

export interface ItemMask {
  /** What is left to do of a column that is lifted from a field of this name, or from the whole. */
  readonly of: (column: ItemColumn, name?: string) => Fate;
  /** Of a column of items: what yields the key by which a rule may tell their values apart. */
  readonly key: (column: ItemColumn) => string | undefined;
}

/** What becomes of a column of items, which are unfolded from what is left of their field. */
export function itemMask(masks: Masks | undefined, fields: Fields, { name, within }: ItemTable): ItemMask {
  const field = fieldFate(fields, within.field);
  const outer = entryOf(field);
  const item =
    within.each === undefined
      ? { items: outer, values: entryOf(outer) }[within.as]
      : entryOf(fateWithin(outer, within.each));
  const key = ({ of, type }: ItemColumn): string | undefined =>
    within.as === 'values' && of === 'item' && type !== 'jsonb' ? 'key' : undefined;
  return {
    key,
    of: (column, field_) => {
      const own = columnFate(masks, name, column.name);
      if (column.of === 'key' || column.of === 'outer key') return own;
      if (key(column) !== undefined && field_ === undefined) return beyond(own, field);
      const whole = column.of === 'outer' ? outer : item;
      const done = field_ === undefined ? whole : fateWithin(whole, field_);
      return beyond(own, column.type === 'jsonb' ? done : { treatment: done.treatment, depth: done.depth });
    },
  };
}

/** Of entries that rules do not tell apart; where they do, none is taken to have been masked. */
function entryOf(fate: Fate): Fate {
  return fate.within && fate.within.keys.size > 0 ? kept : othersWithin(fate);
}
