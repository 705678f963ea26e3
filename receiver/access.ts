/** Who may send, and to which source. */

import type { Credentials } from './credentials.js';

export interface Access {
  /**
   * The sources that the credentials are right for. All sources are compared each time, so how long it takes does not
   * tell which sources there are.
   */
  readonly allowed: (authorization: string | undefined) => readonly string[];
  /** The ways to log in to any source, as WWW-Authenticate has them. */
  readonly challenges: readonly string[];
}

export function createAccess(sources: ReadonlyMap<string, Credentials>): Access {
  return {
    allowed: (authorization) =>
      [...sources].filter(([, one]) => one.check(authorization)).map(([name]) => name),
    challenges: [...new Set([...sources.values()].flatMap(({ challenges }) => challenges))],
  };
}
