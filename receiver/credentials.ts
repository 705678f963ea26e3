/** Who may send to a source. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Secret } from '../config/secret.js';

/** What a source's senders log in with: a user, a token, or either of them. */
export interface SourceAuth {
  readonly basic?: { readonly username: string; readonly password: Secret } | undefined;
  readonly bearer?: Secret | undefined;
}

export interface Credentials {
  /** Whether an Authorization header is right. Takes the same time whatever is wrong with it. */
  readonly check: (authorization: string | undefined) => boolean;
  /** The ways to log in, as WWW-Authenticate has them. */
  readonly challenges: readonly string[];
}

/**
 * User, password and token are compared each time, by digests of the same length: how long that takes tells nothing of
 * which of them was wrong, how long the right one is or how much of it was right.
 */
export function credentials({ basic, bearer }: SourceAuth, equal = timingSafeEqual): Credentials {
  const user = digestOf(basic?.username);
  const password = digestOf(basic?.password.reveal());
  const token = digestOf(bearer?.reveal());
  return {
    check: (authorization) => {
      const given = parseAuthorization(authorization);
      const userIs = equal(digest(given.user), user);
      const passwordIs = equal(digest(given.password), password);
      const tokenIs = equal(digest(given.token), token);
      const byUser = Number(given.scheme === 'basic') & Number(userIs) & Number(passwordIs);
      const byToken = Number(given.scheme === 'bearer') & Number(tokenIs);
      return (byUser | byToken) === 1;
    },
    challenges: [
      ...(basic === undefined ? [] : ['Basic realm="landfall", charset="UTF-8"']),
      ...(bearer === undefined ? [] : ['Bearer realm="landfall"']),
    ],
  };
}

interface Given {
  readonly scheme: string;
  readonly user: Buffer;
  readonly password: Buffer;
  readonly token: Buffer;
}

const nothing = Buffer.alloc(0);

function parseAuthorization(authorization = ''): Given {
  const space = authorization.indexOf(' ');
  const scheme = authorization.slice(0, Math.max(space, 0)).toLowerCase();
  const rest = authorization.slice(space + 1).trim();
  const pair = Buffer.from(rest, 'base64');
  const colon = pair.indexOf(':');
  // Without a colon there is no user: then nothing is right, and as much is compared.
  const hasUser = scheme === 'basic' && colon >= 0;
  return {
    scheme: hasUser || scheme === 'bearer' ? scheme : '',
    user: hasUser ? pair.subarray(0, colon) : nothing,
    password: hasUser ? pair.subarray(colon + 1) : nothing,
    token: scheme === 'bearer' ? Buffer.from(rest) : nothing,
  };
}

/** Of what is not configured: one that nothing has. */
function digestOf(text: string | undefined): Buffer {
  return text === undefined ? randomBytes(32) : digest(Buffer.from(text));
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
