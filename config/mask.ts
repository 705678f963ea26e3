/** The settings that say what is to become of personal data. */

import { z } from 'zod';

import { rulesOf, treatments, writeTarget, type MaskRule, type Treatment } from './mask-rules.js';
import { oneOf, secretText } from './scalars.js';

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
