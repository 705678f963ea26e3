/** Writes a session as the vendor's JSON export does: lossless, which JSON.stringify is not for ids of 64 bits. */

import type { Session } from './session.js';

/** A line of a JSON shard, without its line feed. */
export function jsonLine(session: Session): string {
  return jsonText(session);
}

/**
 * JSON text of a value, in which a bigint is a bare whole number, a number a double as `doubleText` writes it, and what is
 * undefined is left out, as the vendor leaves keys out.
 */
export function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return doubleText(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const pairs = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([key, field]) => `${JSON.stringify(key)}:${jsonText(field)}`);
  return `{${pairs.join(',')}}`;
}

/** A double as Java writes it, which is how they look in the export: `0.0`, `38830.438`, `1.591474962721E9`. */
export function doubleText(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0.0';
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
}
