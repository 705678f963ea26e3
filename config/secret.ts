import { inspect } from 'node:util';

/**
 * A value that must not be printed. Written to a log, an error, JSON or the console it says `[secret]`; whoever needs it
 * asks for it by name, so that every use can be found.
 */
export interface Secret {
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

const hidden = '[secret]';

/** Shorter ones are words that stand in many a sentence, which nobody could read any more. */
const shortest = 6;

/** Temporary keys are renewed every hour: those of some weeks. */
const most = 1_000;

const known = new Set<string>();

export function secret(value: string): Secret {
  const hide = (): string => hidden;
  knowSecret(value);
  return Object.freeze({ reveal: () => value, toString: hide, toJSON: hide, [inspect.custom]: hide });
}

/** For what is given to us while we run, such as temporary keys: `hideSecrets` finds it from now on. */
export function knowSecret(value: string): void {
  if (value.length < shortest) return;
  for (const form of [value, encodeURIComponent(value)]) {
    known.delete(form);
    known.add(form);
  }
  for (const oldest of known) {
    if (known.size <= most) break;
    known.delete(oldest);
  }
}

/**
 * Words that come from outside, without any value that this process knows to be secret: servers repeat what was sent to
 * them, in errors most of all.
 */
export function hideSecrets(words: string): string {
  let open = words;
  // The longest first: one may begin with another.
  for (const value of [...known].sort((a, b) => b.length - a.length)) open = open.replaceAll(value, hidden);
  return open.replaceAll(/(X-Amz-(?:Security-Token|Signature|Credential)=)[^&\s"<]+/gi, `$1${hidden}`);
}
