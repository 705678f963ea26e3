/** One request to Monetate's API, and what its answer means: a text, a fault that passes, or one that a person mends. */

import { secret, type Secret } from '../config/secret.js';
import { Failure, failureTypes } from '../model/failure.js';
import { reactionTo, retryAfter } from '../vendors/monetate/metadata.js';
import { readText, send, Unanswered } from './http.js';
import { quote } from './quote.js';

export interface MonetateRequest {
  /** Begins the sentences of errors: `Asking https://… for …`. */
  readonly what: string;
  readonly url: string;
  /** `JWT …` or `Token …`. */
  readonly authorization: string;
  readonly username: string;
  readonly signal?: AbortSignal | undefined;
}

export interface MonetateAnswer {
  /** 200 to 299, 401 or 404; everything else is an error. */
  readonly status: number;
  readonly text: string;
  /** Epoch ms by the server's clock; absent where it does not tell. */
  readonly date?: number;
}

/** Milliseconds without a byte. */
const patience = 60_000;
/** Bytes: 1,000 entries of 32 kB. */
const longestAnswer = 32 * 1024 * 1024;
/** Milliseconds that we wait at most because the server asks us to. */
const longestWait = 15 * 60_000;

/**
 * Asks once. Throws `StoreUnavailable` for what passes, with the wait that `Retry-After` asks for, `AccessDenied` for a
 * key that was revoked, and `ConfigInvalid` for what no server of this API answers.
 */
export async function askMonetate(request: MonetateRequest): Promise<MonetateAnswer> {
  const { what, url, authorization, username, signal } = request;
  try {
    const response = await send({
      method: 'GET',
      url,
      headers: { authorization, accept: 'application/json' },
      idleTimeout: patience,
      signal,
    });
    const status = response.statusCode ?? 0;
    const text = await readText(response, longestAnswer);
    const words = wordsOf(text, authorization);
    const reaction = reactionTo(status);
    if (reaction === 'later') {
      const wait = retryAfter(response.headers['retry-after'] ?? null, Date.now());
      throw passing(what, `status ${status}${words}`, wait);
    }
    if (status === 403) {
      throw new Failure(
        failureTypes.accessDenied,
        `${what} was refused with status 403${words}: the key of ${username} was revoked, or that user may not read ` +
          `this account. ${newKey(username)}`,
      );
    }
    if (reaction === 'stop') {
      throw new Failure(
        failureTypes.configInvalid,
        `${what} was answered with status ${status}${words}: that is no answer of the metadata API. Check ` +
          `metadata.url and metadata.account of the source.`,
      );
    }
    const date = Date.parse(response.headers.date ?? '');
    return { status, text, ...(Number.isNaN(date) ? {} : { date }) };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Unanswered) throw passing(what, error.message);
    throw error;
  }
}

/** A fault that may be gone when it is tried again. */
export function passing(what: string, why: string, wait?: number): Failure {
  return new Failure(failureTypes.storeUnavailable, `${what} failed: ${why}. It is retried.`, {
    ...(wait === undefined ? {} : { retryIn: Math.min(Math.max(wait, 1_000), longestWait) }),
  });
}

/** What a person does about a key that is no good. */
export function newKey(username: string): string {
  return (
    `In Monetate, Settings > Sites > API Keys, look whether ${username} is there and its public key is active; give it a ` +
    `new one ('Create Public Key') if it is not, set metadata.privateKey of the source to its private half, and restart ` +
    `the workers.`
  );
}

/** Where something was asked for, for messages: without a query. */
export function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** What the API says of an error, in a sentence; nothing where it says nothing. */
function wordsOf(text: string, authorization: string): string {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return '';
  }
  const meta = fieldOf(answer, 'meta');
  const errors = fieldOf(meta, 'errors');
  return Array.isArray(errors) && errors.length > 0
    ? `, saying ${quoteAnswer(JSON.stringify(errors), authorization)}`
    : '';
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The API's words without what it was sent, whole or as a part of a JWT. */
export function quoteAnswer(words: string, authorization: string): string {
  const sent: readonly Secret[] = [secret(authorization.replace(/^\w+ /, ''))];
  return quote(words.replaceAll(/eyJ[\w.-]{8,}/g, '[secret]'), sent);
}
