/** Monetate's metadata API: what ids are called, a page of a list or one id at a time. */

import { Failure, failureTypes } from '../model/failure.js';
import type { NameKind } from '../model/names.js';
import {
  listAddress,
  oneAddress,
  parseOne,
  parsePage,
  reactionTo,
  type Named,
  type NamePage,
} from '../vendors/monetate/metadata.js';
import {
  askMonetate,
  newKey,
  passing,
  placeOf,
  quoteAnswer,
  type MonetateAnswer,
} from './monetate-answer.js';
import { holdToken, type MonetateLogin } from './monetate-token.js';

export interface MonetateApi extends MonetateLogin {
  /** The account's short name. */
  readonly account: string;
}

export interface NamesApi {
  /** A page of a list: its first, or the one that a page before called its next. */
  readonly page: (kind: NameKind, next?: string, signal?: AbortSignal) => Promise<NamePage>;
  /** What one id is called; undefined where there is no such id, or no more. */
  readonly one: (kind: NameKind, id: string, signal?: AbortSignal) => Promise<Named | undefined>;
}

interface Answer extends MonetateAnswer {
  readonly authorization: string;
}

/** Nothing is asked yet. Give it one request at a time: who asks more gets more tokens than needed. */
export function openNames(api: MonetateApi, now?: () => number): NamesApi {
  const { account, username, url: base } = api;
  const tokens = holdToken(api, now);

  const attempt = async (what: string, url: string, signal?: AbortSignal): Promise<Answer> => {
    const token = await tokens.take(signal);
    const authorization = `Token ${token}`;
    const answer = await askMonetate({ what, url, authorization, username, signal });
    if (reactionTo(answer.status) === 'renew') tokens.drop(token);
    return { ...answer, authorization };
  };

  /** A token that is refused is exchanged once. */
  const ask = async (what: string, url: string, signal?: AbortSignal): Promise<Answer> => {
    const first = await attempt(what, url, signal);
    if (reactionTo(first.status) !== 'renew') return first;
    const second = await attempt(what, url, signal);
    if (reactionTo(second.status) !== 'renew') return second;
    throw new Failure(
      failureTypes.accessDenied,
      `${what} was refused with status 401, and again with a new token of ${username}. ` +
        `Look whether that user may read account ${account}. ${newKey(username)}`,
    );
  };

  return {
    page: async (kind, next, signal) => {
      const url = next ?? listAddress(base, account, kind);
      mustBelong(url, base);
      const what = `Asking ${placeOf(url)} for names`;
      const { status, text, authorization } = await ask(what, url, signal);
      if (reactionTo(status) === 'gone') {
        // The list has become shorter since the page before spoke of this one.
        if (next !== undefined) return { named: [] };
        throw new Failure(
          failureTypes.configInvalid,
          `${what} was answered with status 404: there is no such list. Check metadata.account and metadata.url of the ` +
            `source.`,
        );
      }
      return usable(what, authorization, () => parsePage(kind, url, text));
    },
    one: async (kind, id, signal) => {
      const url = oneAddress(base, account, kind, id);
      const what = `Asking ${placeOf(url)} for its name`;
      const { status, text, authorization } = await ask(what, url, signal);
      if (reactionTo(status) === 'gone') return undefined;
      return usable(what, authorization, () => {
        const named = parseOne(kind, text);
        if (Number(named.id) !== Number(id)) throw new Error(`It is of another id, ${named.id}.`);
        // Sessions may write it with zeros before it.
        return { ...named, id };
      });
    },
  };
}

/** The address of a next page has come through a history. */
function mustBelong(url: string, base: string): void {
  const origin = URL.canParse(url) ? new URL(url).origin : undefined;
  if (origin === new URL(base).origin) return;
  throw new Failure(
    failureTypes.configInvalid,
    `The next page of names is said to be at ${origin ?? 'no address'}, and metadata.url is another server, to which alone ` +
      `the token belongs. Start the refresh anew.`,
  );
}

function usable<T>(what: string, authorization: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw passing(
      what,
      `the answer cannot be used (${quoteAnswer((error as Error).message, authorization)})`,
    );
  }
}
