/** The token that opens Monetate's API: asked for with what the source's key signs, and held in the process alone. */

import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';

import type { Secret } from '../config/secret.js';
import { Failure, failureTypes } from '../model/failure.js';
import { parseToken, reactionTo, tokenAddress, toSign, type Token } from '../vendors/monetate/metadata.js';
import { askMonetate, newKey, passing, placeOf, quoteAnswer } from './monetate-answer.js';

export interface MonetateLogin {
  /** `api-…` */
  readonly username: string;
  /** RSA, in PEM (PKCS#8 or PKCS#1). */
  readonly privateKey: Secret;
  readonly url: string;
}

export interface Tokens {
  /** The one that is held, or a new one when it is about to end. */
  readonly take: (signal?: AbortSignal) => Promise<string>;
  /** Forgets it: it was refused. */
  readonly drop: (token: string) => void;
}

/** "The creation time" of a JWT may be this far from the server's clock, in milliseconds. */
const mostSkew = 60_000;

/** Nothing is read or asked for yet. `now` is the clock, in epoch ms. */
export function holdToken(login: MonetateLogin, now: () => number = Date.now): Tokens {
  let held: Token | undefined;
  return {
    take: async (signal) => {
      if (held === undefined || now() >= held.renewAt) held = await askForToken(login, now, signal);
      return held.token;
    },
    drop: (token) => {
      if (held?.token === token) held = undefined;
    },
  };
}

async function askForToken(login: MonetateLogin, now: () => number, signal?: AbortSignal): Promise<Token> {
  const { username, url: api } = login;
  const url = tokenAddress(api);
  const what = `Asking ${placeOf(url)} for a token of ${username}`;
  const askedAt = now();
  const authorization = `JWT ${signed(login, askedAt)}`;
  const { status, text, date } = await askMonetate({ what, url, authorization, username, signal });
  if (status === 401) throw refused(what, username, date === undefined ? undefined : date - askedAt);
  if (reactionTo(status) !== 'use') {
    throw new Failure(
      failureTypes.configInvalid,
      `${what} was answered with status ${status}: no tokens are given there. Check metadata.url of the source.`,
    );
  }
  try {
    return parseToken(text, askedAt);
  } catch (error) {
    throw passing(
      what,
      `the answer cannot be used (${quoteAnswer((error as Error).message, authorization)})`,
    );
  }
}

/** `ahead`: how far the server's clock is ahead of ours, in milliseconds; undefined where it does not tell. */
function refused(what: string, username: string, ahead: number | undefined): Failure {
  const off = ahead !== undefined && Math.abs(ahead) > mostSkew;
  const clock = off
    ? `This machine's clock is ${Math.round(Math.abs(ahead) / 1_000)} seconds ${ahead > 0 ? 'behind' : 'ahead of'} ` +
      `Monetate's, which allows 60: set it right, then try again. If it is refused still: `
    : `Check that this machine's clock is right (Monetate allows 60 seconds) and that metadata.username and ` +
      `metadata.privateKey belong together. `;
  return new Failure(
    failureTypes.accessDenied,
    `${what} was refused with status 401. ${clock}${newKey(username)}`,
  );
}

function signed(login: MonetateLogin, now: number): string {
  const text = toSign(login.username, now);
  return `${text}.${createSign('RSA-SHA256').update(text).sign(readKey(login), 'base64url')}`;
}

function readKey({ username, privateKey }: MonetateLogin): KeyObject {
  const wrong = (why: string): Failure =>
    new Failure(
      failureTypes.configInvalid,
      `metadata.privateKey of ${username} ${why}. It has to be the RSA private key itself, in PEM and without a ` +
        `passphrase: 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096' makes one.`,
    );
  const pem = privateKey.reveal();
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What OpenSSL says helps nobody, and may quote the key.
    throw wrong(
      pem.includes('ENCRYPTED') ? 'is locked with a passphrase' : 'cannot be read as a private key',
    );
  }
  const kind = key.asymmetricKeyType;
  if (kind !== 'rsa') throw wrong(`is a key of another kind (${kind ?? 'unknown'})`);
  return key;
}
