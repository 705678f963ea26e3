/** Keys, tokens and people's data are not sent where everybody on the way can read them, unless somebody wants that. */

import type { z } from 'zod';

import { flag } from './scalars.js';

export function allowHttp(setting: string) {
  return flag()
    .optional()
    .describe(
      `Let ${setting} begin with http:// although it leads to another machine: everybody on the way can read what is sent.`,
    );
}

/** Refuses the settings of these names where they begin with `http://` and lead beyond this machine. */
export function httpsOnly<T extends z.ZodType>(settings: T, names: readonly string[]): T {
  return names.reduce(
    (checked, name) =>
      checked.refine((value) => allows(value) || !isOpen((value as Fields)[name]), {
        error:
          'begins with http://, so everybody on the way can read keys, tokens and data: give an https:// address, or set ' +
          'allowHttp: true beside it',
        path: [name],
        when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
      }),
    settings,
  );
}

type Fields = Readonly<Record<string, unknown>>;

function allows(value: unknown): boolean {
  return [true, 'true'].includes((value as Fields)['allowHttp'] as string | true);
}

function isOpen(address: unknown): boolean {
  if (typeof address !== 'string' || !URL.canParse(address)) return false;
  const { protocol, hostname, username, password } = new URL(address);
  // Whose own rule is broken is told of that alone.
  return (
    protocol === 'http:' &&
    username + password === '' &&
    !/^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
  );
}
