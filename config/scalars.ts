/** The kinds of single values that settings are made of. Each has one rule, which is what its errors say. */

import { z } from 'zod';

import { durationPattern, parseDuration } from './duration.js';
import { fractionPattern, parseFraction } from './fraction.js';
import { isDay } from '../model/day.js';
import { secret, type Secret } from './secret.js';

export function text(rule = 'must be a text') {
  return z.string({ error: rule }).min(1, { error: 'must not be empty' });
}

export function matching(pattern: RegExp, rule: string) {
  return z.string({ error: rule }).regex(pattern, { error: rule });
}

/** Held so that it cannot be printed by accident. */
export function secretText() {
  return text().transform((value): Secret => secret(value));
}

export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, { error: `must be ${words.map((word) => `'${word}'`).join(' or ')}` });
}

/** Milliseconds. `shortest` is a bound in milliseconds with its wording. */
export function duration(shortest?: { readonly milliseconds: number; readonly text: string }) {
  const rule =
    "must be a length of time with its unit, such as '15 minutes', '3 days' or '90s'" +
    (shortest === undefined ? '' : `, of at least ${shortest.text}`);
  return z
    .string({ error: rule })
    .meta({ pattern: durationPattern, examples: ['15 minutes', '3 days', '90s'] })
    .transform((value, context) => {
      const milliseconds = parseDuration(value);
      if (milliseconds !== undefined && milliseconds >= (shortest?.milliseconds ?? 0)) return milliseconds;
      context.addIssue({ code: 'custom', message: rule });
      return z.NEVER;
    });
}

/** Bytes: `16 MB` are 16,000,000, `16 MiB` 16,777,216. */
export function byteCount(least: number, most: number) {
  const rule = "must be a number of bytes with its unit, such as '16 MB' or '64 MiB'";
  return z
    .string({ error: rule })
    .meta({ pattern: byteCountPattern, examples: ['16 MB', '64 MiB'] })
    .transform((value, context) => {
      const [, number = '', unit = ''] = new RegExp(byteCountPattern, 'i').exec(value) ?? [];
      const power = ' kmgt'.indexOf(unit.slice(0, -1).replace(/i$/i, '').toLowerCase() || ' ');
      const bytes = Math.floor(Number(number) * (/i/i.test(unit) ? 1024 : 1000) ** power);
      if (number !== '' && bytes >= least && bytes <= most) return bytes;
      context.addIssue({ code: 'custom', message: `${rule}, from ${least} to ${most} bytes` });
      return z.NEVER;
    });
}

const byteCountPattern = '^\\s*(\\d+(?:\\.\\d+)?)\\s*([KkMmGgTt]?[Ii]?[Bb])\\s*$';

/** From 0 to 1. */
export function fraction() {
  const rule = "must be a percentage up to 100%, such as '1%', or a fraction below 1, such as 0.01";
  return z
    .union(
      [
        z.string().meta({ pattern: fractionPattern, examples: ['1%'] }),
        z.number().meta({ minimum: 0, exclusiveMaximum: 1 }),
      ],
      { error: rule },
    )
    .transform((value, context) => {
      const parsed = parseFraction(String(value));
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: rule });
      return z.NEVER;
    });
}

/** A whole number; also as a text, which is what an environment variable gives. */
export function count(least: number, most: number) {
  const rule = `must be a whole number from ${least} to ${most}`;
  return z
    .union(
      [
        z.number().meta({ type: 'integer', minimum: least, maximum: most }),
        z.string().meta({ pattern: '^\\d+$' }),
      ],
      { error: rule },
    )
    .transform((value, context) => {
      const number = typeof value === 'number' || /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (Number.isInteger(number) && number >= least && number <= most) return number;
      context.addIssue({ code: 'custom', message: rule });
      return z.NEVER;
    });
}

export function flag() {
  const rule = 'must be true or false';
  return z
    .union([z.boolean(), z.enum(['true', 'false'])], { error: rule })
    .transform((value) => value === true || value === 'true');
}

/** A UTC day, `YYYY-MM-DD`. */
export function day() {
  const rule = "must be a day, written '2026-11-20'";
  return z.string({ error: rule }).meta({ format: 'date' }).refine(isDay, { error: rule });
}

export function httpUrl() {
  const rule =
    "must be an http:// or https:// address without user and password, such as 'http://127.0.0.1:9000'";
  return z
    .string({ error: rule })
    .meta({ format: 'uri' })
    .refine(
      (value) => {
        const url = URL.canParse(value) ? new URL(value) : undefined;
        return (
          url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
        );
      },
      { error: rule },
    );
}
