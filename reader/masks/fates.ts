/** From rules to what becomes of a value and of those within it. Pure. */

import type { MaskRule, Treatment } from '../../config/mask-rules.js';

export interface Fate {
  /** Of a value that holds no others, and of one that does where `within` is absent. */
  readonly treatment: Treatment;
  /** How many steps the value lies below what the rule names. */
  readonly depth: number;
  /** Of the values of an object, and the entries of a list, whose keys are their places from 0. */
  readonly within?: Within;
}

export interface Within {
  /** In lower case: rules are of a field however it is written. */
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
      rules.filter(
        ({ path }) => path.length <= depth || path[depth] === '*' || path[depth]?.toLowerCase() === key,
      ),
      depth + 1,
    );
  const keys = deeper.flatMap(({ path }) => path[depth]?.toLowerCase() ?? []).filter((step) => step !== '*');
  return { ...own, within: { keys: new Map(keys.map((key) => [key, below(key)])), others: below() } };
}

/** What becomes of the value under a key, or of an entry. */
export function fateWithin({ treatment, depth, within }: Fate, key: string): Fate {
  return within === undefined
    ? { treatment, depth: depth + 1 }
    : (within.keys.get(key.toLowerCase()) ?? within.others);
}

export function isKept({ treatment, within }: Fate): boolean {
  return treatment === 'keep' && (!within || [...within.keys.values(), within.others].every(isKept));
}

/** What `own` still asks for of a value that has been through `done`, so that nothing is hashed twice. */
export function beyond(own: Fate, done: Fate): Fate {
  if (isKept(own) || isKept(done) || isDropped(own)) return own;
  const treatment = own.treatment === 'hash' && done.treatment !== 'keep' ? 'keep' : own.treatment;
  const fate = { treatment, depth: own.depth };
  if (!own.within && !done.within) return fate;
  const keys = new Set([own, done].flatMap(({ within }) => [...(within?.keys.keys() ?? [])]));
  const below = (key: string): Fate => beyond(fateWithin(own, key), fateWithin(done, key));
  const others = beyond(othersWithin(own), othersWithin(done));
  return { ...fate, within: { keys: new Map([...keys].map((key) => [key, below(key)])), others } };
}

/** What becomes of values under keys that no rule names. */
export function othersWithin({ treatment, depth, within }: Fate): Fate {
  return within?.others ?? { treatment, depth: depth + 1 };
}

/** What becomes of a value that is made from one that is masked: it is left out where that is not kept. */
export function leftOut({ treatment, depth, within }: Fate): Fate {
  const own = { treatment: treatment === 'keep' ? treatment : 'drop', depth } as const;
  if (!within) return own;
  const keys = [...within.keys].map(([key, fate]) => [key, leftOut(fate)] as const);
  return { ...own, within: { keys: new Map(keys), others: leftOut(within.others) } };
}

/** All of it is left out. */
export function isDropped({ treatment, within }: Fate): boolean {
  return treatment === 'drop' && !within;
}

/** Of a value that two columns hold, so that neither shows what the other does not. */
export function stricter(one: Fate, other: Fate): Fate {
  if (isDropped(other) || isKept(one)) return other;
  return one;
}
