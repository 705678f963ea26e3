/** The settings that sources of every vendor have. */

import { z } from 'zod';

import { durationPattern, parseDuration } from './duration.js';
import { mask, maskKey } from './mask.js';
import { count, day, duration, fraction, matching, oneOf } from './scalars.js';

const reservedSchemas = [
  'landfall',
  'landfall_staging',
  'landfall_superseded',
  'public',
  'information_schema',
];

/** What the vendor's rules recommend. */
export interface VendorDefaults {
  readonly pollEvery: string;
  readonly giveUpAfter: string;
  readonly quarantineLimit: string;
}

export function sourceShape(defaults: VendorDefaults) {
  return {
    schema: matching(
      /^[a-z_][a-z0-9_]{0,62}$/,
      "must be a plain Postgres name (a-z, 0-9 and '_', not starting with a digit, at most 63 letters)",
    )
      .refine((name) => !reservedSchemas.includes(name) && !name.startsWith('pg_'), {
        error: `must not be one of ${reservedSchemas.join(', ')} or start with pg_: these belong to Landfall or Postgres`,
      })
      .optional()
      .describe("Postgres schema, owned by this source alone. Default: the vendor's name."),
    pollEvery: duration()
      .prefault(defaults.pollEvery)
      .describe('How often a waiting delivery is looked at; looks grow rarer with its age.'),
    giveUpAfter: duration()
      .prefault(defaults.giveUpAfter)
      .describe("How long after the end of its day a delivery's marker is awaited. Then it fails, visibly."),
    quarantineLimit: fraction()
      .prefault(defaults.quarantineLimit)
      .describe('Share of bad rows above which nothing of a delivery is published.'),
    refusalGrace: durationOrNone()
      .prefault('30 minutes')
      .describe(
        'How long what a store, database or vendor refuses is tried again. Then the delivery fails. 0: it fails at once.',
      ),
    shrinkLimit: fraction()
      .prefault('50%')
      .describe(
        'Share of its rows that a delivery may lose with a new version. One that loses more is held until a person accepts it.',
      ),
    discoverEvery: duration({ milliseconds: 1_000, text: '1 second' })
      .optional()
      .describe('How often the store is searched for new deliveries. Default: pollEvery.'),
    since: day()
      .optional()
      .describe('Deliveries from this UTC day on are taken up by themselves. Older ones are for backfill.'),
    filesInFlight: count(1, 100)
      .prefault(2)
      .describe('Batches of files of one delivery that are staged at the same time.'),
    heartbeatTimeout: duration({ milliseconds: 1_000, text: '1 second' })
      .prefault('20 seconds')
      .describe('How long a silent step is waited for before another worker takes it over.'),
    mask: mask(),
    maskKey: maskKey(),
  };
}

/** What of a vendor's is loaded. */
export function typesOf<const T extends readonly [string, ...string[]]>(
  types: T,
  usual: readonly T[number][],
) {
  return z
    .array(oneOf(types), { error: 'must be a list' })
    .min(1, { error: 'must name at least one type' })
    .refine((list) => new Set<string>(list).size === list.length, { error: 'must not name a type twice' })
    .prefault([...usual]);
}

/** Milliseconds. 0 needs no unit, and may have one. */
export function durationOrNone() {
  const rule = "must be a length of time with its unit, such as '48 hours', or 0";
  return z
    .union(
      [
        z.number().meta({ type: 'integer', minimum: 0, maximum: 0 }),
        z.string().meta({ pattern: `${durationPattern}|^\\s*0\\s*$`, examples: ['48 hours', '0'] }),
      ],
      { error: rule },
    )
    .transform((value, context) => {
      const milliseconds = parseDurationOrNone(String(value));
      if (milliseconds !== undefined) return milliseconds;
      context.addIssue({ code: 'custom', message: rule });
      return z.NEVER;
    });
}

function parseDurationOrNone(text: string): number | undefined {
  const unit = /^\s*0\s*([a-z]*)\s*$/i.exec(text)?.[1];
  if (unit === undefined) return parseDuration(text);
  return unit === '' || parseDuration(`1 ${unit}`) !== undefined ? 0 : undefined;
}
