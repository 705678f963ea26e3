/** A session as mask rules leave it, in the plainest way there is. */

import { createHmac } from 'node:crypto';

import { rulesOf, type MaskRule, type Treatment } from '../../config/mask-rules.js';
import { secret } from '../../config/secret.js';
import { masksOf, type Masks } from '../../reader/masks/masks.js';
import { session } from '../../vendors/monetate/tables.js';
import { written } from '../vendors/monetate/unfold.js';

const key = 'a key that is as long as a hash…';
export const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex');

export function masksFor(given: Readonly<Record<string, Treatment>>): Masks | undefined {
  return masksOf({ mask: rulesOf(given), maskKey: secret(key) });
}

/** An object whose keys are in the order of the document. */
export type Line = ReadonlyMap<string, unknown>;

/** Fields are masked by the rules for the column of their name, the others by those for `_extra`. */
export function maskedSession(line: Line, given: Readonly<Record<string, Treatment>>): Line {
  const rules = rulesOf(given);
  const left = new Map<string, unknown>();
  for (const [field, value] of line) {
    const column = session.columns.find((candidate) => 'field' in candidate && candidate.field === field);
    const own = rules.filter((rule) => rule.column === (column ? field : '_extra'));
    const masked =
      column && column.type !== 'jsonb'
        ? mask(own, value, [], 2)
        : column
          ? mask(own, value)
          : mask(own, new Map([[field, value]]));
    if (column) left.set(field, masked ?? null);
    else for (const [name, inner] of (masked as Line | undefined) ?? []) left.set(name, inner);
  }
  return left;
}

/** By asking for each value anew which rule is the most particular; undefined for what is left out. */
function mask(
  rules: readonly MaskRule[],
  value: unknown,
  path: readonly string[] = [],
  depth?: number,
): unknown {
  const fits = (rule: MaskRule): boolean =>
    rule.path.every(
      (step, index) =>
        index >= path.length || step === '*' || step.toLowerCase() === path[index]?.toLowerCase(),
    );
  const rule = rules.find((candidate) => candidate.path.length <= path.length && fits(candidate));
  if (rules.some((candidate) => candidate.path.length > path.length && fits(candidate))) {
    if (value instanceof Map) {
      return entries(value as Line, (inner, name) => mask(rules, inner, [...path, name]));
    }
    if (Array.isArray(value)) {
      return value.map((entry, place) => mask(rules, entry, [...path, String(place)]) ?? null);
    }
  }
  if (rule?.treatment === 'drop') return undefined;
  return rule?.treatment === 'hash' ? hash(value, depth ?? path.length - rule.path.length) : value;
}

/** A value that a rule `depth` steps above it hashes. */
function hash(value: unknown, depth: number): unknown {
  if (value instanceof Map && depth === 0) return entries(value as Line, (inner) => hash(inner, 1));
  if (Array.isArray(value) && depth < 2) return value.map((entry) => hash(entry, 2));
  if (value === null || value === undefined) return null;
  return hmac(typeof value === 'string' ? value : written(value));
}

function entries(value: Line, of: (value: unknown, key: string) => unknown): Line {
  const left = [...value].map(([name, inner]) => [name, of(inner, name)] as const);
  return new Map(left.filter(([, inner]) => inner !== undefined));
}
