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

export function secret(value: string): Secret {
  const hide = (): string => hidden;
  return Object.freeze({ reveal: () => value, toString: hide, toJSON: hide, [inspect.custom]: hide });
}
