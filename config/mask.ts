/**
 * What is to become of personal data, by column. What the words mean, and where they apply, is written in
 * docs/decisions/0010-masking.md; no reader does it yet.
 */

import { z } from 'zod';

import { oneOf, secretText } from './scalars.js';

/** `drop`: null, or without the key in jsonb. `hash`: HMAC-SHA256 with the source's key, in hexadecimal. */
const treatments = ['drop', 'hash', 'keep'] as const;

export type Treatment = (typeof treatments)[number];

export interface MaskRule {
  /** Absent: the column of that name in every table of the source. */
  readonly table?: string;
  readonly column: string;
  /** Keys below a jsonb column, from outside; `*` stands for any key or place in a list. Empty: all of it. */
  readonly path: readonly string[];
  readonly treatment: Treatment;
}

const part = `(?:[^\\s.:*"]+|"[^"]+"|\\*)`;
const target = new RegExp(`^(?:[a-z_][a-z0-9_]*:)?[A-Za-z_][A-Za-z0-9_]*(?:\\.${part})*$`);
const targetRule =
  "must name a column, such as 'customer_id', 'event:value' (of one table), or 'custom_targets.*' and " +
  "'_extra.email' (below a jsonb column)";

/** `mask:` of a source. `usual` is what holds for columns that it does not speak of. */
export function mask(usual: Readonly<Record<string, Treatment>> = {}) {
  return z
    .record(z.string().regex(target, { error: targetRule }), oneOf(treatments), {
      error: ({ code }) =>
        code === 'invalid_key' ? targetRule : "must be a mapping of columns to 'drop', 'hash' or 'keep'",
    })
    .prefault({})
    .transform((given) => rulesOf({ ...usual, ...given }))
    .describe(
      'What becomes of columns with personal data: drop, hash or keep, by column or key below a jsonb column.',
    );
}

export function maskKey() {
  return secretText()
    .refine((key) => Buffer.byteLength(key.reveal()) >= shortestKey, {
      error: `must be at least ${shortestKey} bytes long, such as the output of 'openssl rand -hex 32'`,
    })
    .optional()
    .describe(
      'The key of the hashes, from an environment variable. Whoever has it can tell whose hash a known value has; another ' +
        'key makes other hashes.',
    );
}

/** As many as a hash has: a shorter key is the easier thing to guess. */
const shortestKey = 32;

export interface Masked {
  readonly mask?: readonly MaskRule[];
  readonly maskKey?: unknown;
}

/** Hashing needs a key: which columns want one that has none; undefined where all is well. */
export function missingKey({ mask: rules = [], maskKey: key }: Masked): string | undefined {
  if (key !== undefined) return undefined;
  const hashed = rules.filter(({ treatment }) => treatment === 'hash').map(writeTarget);
  if (hashed.length === 0) return undefined;
  return (
    `is missing: ${hashed.join(', ')} ${hashed.length === 1 ? 'is' : 'are'} hashed with it. Set it to an environment ` +
    `variable, or say drop or keep for ${hashed.length === 1 ? 'it' : 'each of them'} in mask`
  );
}

/** The more particular one first: a longer path before a shorter one, a key before `*`, a table's before all tables'. */
function rulesOf(given: Readonly<Record<string, Treatment>>): readonly MaskRule[] {
  const rules = Object.entries(given).map(([name, treatment]): MaskRule => {
    const [, table, column = '', rest = ''] = /^(?:([a-z0-9_]+):)?(\w+)(.*)$/s.exec(name) ?? [];
    const path = [...rest.matchAll(/\.("[^"]+"|[^.]+)/g)].map(([, step = '']) =>
      step.replace(/^"(.*)"$/s, '$1'),
    );
    return { ...(table === undefined ? {} : { table }), column, path, treatment };
  });
  const stars = ({ path }: MaskRule): number => path.filter((step) => step === '*').length;
  return rules.sort(
    (a, b) =>
      b.path.length - a.path.length ||
      stars(a) - stars(b) ||
      Number(a.table === undefined) - Number(b.table === undefined),
  );
}

function writeTarget({ table, column, path }: MaskRule): string {
  const steps = path.map((step) => (/[\s.:"]/.test(step) ? `."${step}"` : `.${step}`));
  return `${table === undefined ? '' : `${table}:`}${column}${steps.join('')}`;
}

/**
 * What becomes of a value: what the most particular rule says that is of it or of what it lies in; `keep` where none is.
 * `path` are the keys below the column; places in lists are written as numbers.
 */
export function treatmentOf(
  rules: readonly MaskRule[],
  table: string,
  column: string,
  path: readonly string[] = [],
): Treatment {
  const rule = rules.find(
    (candidate) =>
      candidate.column === column &&
      (candidate.table ?? table) === table &&
      candidate.path.length <= path.length &&
      candidate.path.every((step, index) => step === '*' || step === path[index]),
  );
  return rule?.treatment ?? 'keep';
}
