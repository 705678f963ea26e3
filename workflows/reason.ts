/** What people say with a signal, and what is said to one that nobody knows. Pure. */

import type { SignalArgument } from '../model/control.js';
import { didYouMean } from '../model/suggest.js';

/** Says that a signal is none of those that `who` takes. */
export function notUnderstood(
  name: string,
  argument: unknown,
  who: string,
  known: readonly string[],
): string {
  const guess = didYouMean(name, known) || '.';
  const reason = readReason(argument as SignalArgument | string | undefined);
  return (
    `There is no signal '${name.slice(0, 60)}'${guess} Nothing was done about it (${reason}). ${who} takes ` +
    `${known.join(', ')}.`
  );
}

/**
 * The Web UI's form sends what a person typed: an object, a bare string, or nothing. Postgres takes no NUL in a text, and
 * what is asked for must not fail by that.
 */
export function readReason(argument: SignalArgument | string | undefined): string {
  const said = typeof argument === 'string' ? argument : argument?.reason;
  const reason = typeof said === 'string' ? said.replaceAll('\0', ' ').trim() : '';
  return reason === '' ? noReason : reason.slice(0, 2_000);
}

export const noReason = 'No reason given.';
