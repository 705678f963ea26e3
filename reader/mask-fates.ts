/** From rules to what becomes of a value and of those within it. Pure. */

import type { MaskRule, Treatment } from '../config/mask-rules.js';

export interface Fate {
  /** Of a value that holds no others, and of one that does where `within` is absent. */
  readonly treatment: Treatment;
  /** How many steps the value lies below what the rule names. */
  readonly depth: number;
  /** Of the values of an object, and the entries of a list, whose keys are their places from 0. */
  readonly within?: Within;
}

export interface Within {
  readonly keys: ReadonlyMap<string, Fate>;
  readonly others: Fate;
}

export const kept: Fate = { treatment: 'keep', depth: 0 };
export const dropped: Fate = { treatment: 'drop', depth: 0 };

/** What becomes of a column. `rules` are in the order of `rulesOf`. */
export function fateOf(rules: readonly MaskRule[], table: string, column: string): Fate {
  return fateAt(
    rules.filter((rule) => rule.column === column && (rule.table ?? table) === table),
    0,
  );
}

/** By the rules whose paths begin as the value's does, which is `depth` steps long. */
function fateAt(rules: readonly MaskRule[], depth: number): Fate {
  const rule = rules.find(({ path }) => path.length <= depth);
  const own = { treatment: rule?.treatment ?? 'keep', depth: depth - (rule?.path.length ?? depth) } as const;
  const deeper = rules.filter(({ path }) => path.length > depth);
  if (deeper.length === 0) return own;
  const below = (key?: string): Fate =>
    fateAt(
      rules.filter(({ path }) => path.length <= depth || path[depth] === '*' || path[depth] === key),
      depth + 1,
    );
  const keys = deeper.flatMap(({ path }) => path[depth] ?? []).filter((step) => step !== '*');
  return { ...own, within: { keys: new Map(keys.map((key) => [key, below(key)])), others: below() } };
}

/** What becomes of the value under a key, or of an entry. */
export function fateWithin({ treatment, depth, within }: Fate, key: string): Fate {
  return within === undefined ? { treatment, depth: depth + 1 } : (within.keys.get(key) ?? within.others);
}

export function isKept({ treatment, within }: Fate): boolean {
  return treatment === 'keep' && (!within || [...within.keys.values(), within.others].every(isKept));
}

/** Of a value that two columns hold, so that neither shows what the other does not. */
export function stricter(one: Fate, other: Fate): Fate {
  const isDropped = ({ treatment, within }: Fate): boolean => treatment === 'drop' && !within;
  if (isDropped(other) || isKept(one)) return other;
  return one;
}
