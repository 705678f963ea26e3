/** Monetate's auth and metadata API, as far as they are documented: a server on this machine. */

import { createPublicKey, createVerify, randomBytes, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { customTargets, pageEvents, variants } from './names.js';

/** What the API has, by kind; each has an `id`, in digits. */
export interface MadeNames {
  readonly variant: readonly Entry[];
  readonly pageevent: readonly Entry[];
  readonly customtarget: readonly Entry[];
}
type Entry = Readonly<Record<string, unknown>> & { readonly id: string };
type Kind = keyof MadeNames;

export const madeNames: MadeNames = entriesOf({
  variant: variants,
  pageevent: pageEvents,
  customtarget: customTargets,
});

export interface MonetateApiOptions {
  readonly account: string;
  readonly username: string;
  /** PEM of the public half that was uploaded. */
  readonly publicKey: string;
  /** Default: those of names.ts. */
  readonly names?: MadeNames;
  /** "The maximum is 1000; higher values will be clamped to the maximum." */
  readonly largestPage?: number;
  /** The server's clock, in epoch ms. */
  readonly now?: () => number;
  /** Default: any that is free. */
  readonly port?: number;
}

/** A request as the server saw it. */
export interface SeenRequest {
  /** `token`, `variant`, `pageevent`, `customtarget`, or one of these with an id: `variant/7`. */
  readonly what: string;
  readonly url: string;
  readonly authorization: string;
  readonly status: number;
}

export type NamesFault =
  /** Another answer. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The list goes on there. */
  | { readonly kind: 'next'; readonly address: string }
  /** The connection is cut after this many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Nothing is answered until this comes to its end, which is called when the request is there. */
  | { readonly kind: 'slow'; readonly until: () => Promise<unknown> };

export interface MonetateApiServer {
  /** For `metadata.url`. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Most requests that were under way at the same time. */
  readonly atOnce: () => number;
  /** The next `times` requests of that name suffer the fault. A name that ends with `/` stands for all ids of the kind. */
  readonly fail: (what: string, fault: NamesFault, times?: number) => void;
  /** What the API has from now on. */
  readonly set: (names: Partial<MadeNames>) => void;
  /** "You must deactivate the public key": every token of it is refused with 403, and no other is given. */
  readonly revoke: () => void;
  /** All tokens are at their end. */
  readonly expireTokens: () => void;
  readonly stop: () => Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly meta?: object;
  readonly data?: unknown;
}

/** Seconds between a JWT's `iat` and the server's clock. */
const mostSkew = 60;
/** Seconds: "valid values"; the other bound that the page gives, 15 minutes, is not kept. */
const lifetimes = { shortest: 600, usual: 3_600, longest: 43_200 };
const refused: Reply = { status: 401, meta: { errors: [{ message: 'Unauthorized' }] } };
const forbidden: Reply = { status: 403, meta: { errors: [{ message: 'Forbidden' }] } };
const missing: Reply = { status: 404, meta: { errors: [{ message: 'Not found' }] } };

export async function startMonetateApi(options: MonetateApiOptions): Promise<MonetateApiServer> {
  const { account, username, largestPage = 1_000, now = Date.now } = options;
  const publicKey = createPublicKey(options.publicKey);
  let names = options.names ?? madeNames;
  let revoked = false;
  let underWay = 0;
  let most = 0;
  const requests: SeenRequest[] = [];
  /** When each token ends, in epoch ms. */
  const tokens = new Map<string, number>();
  const faults: { what: string; fault: NamesFault; times: number }[] = [];

  const takeFault = (what: string): NamesFault | undefined => {
    const named = (rule: string): boolean =>
      rule === what || (rule.endsWith('/') && what.startsWith(rule) && what !== rule);
    const found = faults.find((rule) => named(rule.what) && rule.times > 0);
    if (found) found.times -= 1;
    return found?.fault;
  };

  const giveToken = (authorization: string, query: URLSearchParams): Reply => {
    const jwt = /^JWT (.+)$/.exec(authorization)?.[1] ?? '';
    if (!isSigned(jwt, publicKey, username, now() / 1_000)) return refused;
    if (revoked) return forbidden;
    const seconds = Number(query.get('ttl') ?? lifetimes.usual);
    if (!Number.isInteger(seconds) || seconds < lifetimes.shortest || seconds > lifetimes.longest) {
      return { status: 400, meta: { errors: [{ message: 'Invalid ttl' }] } };
    }
    const token = `1.${randomBytes(16).toString('base64url')}`;
    tokens.set(token, now() + seconds * 1_000);
    const issued = now() / 1_000;
    return {
      status: 200,
      data: { token, issued_at: issued, expires_in: seconds, expires_at: issued + seconds },
    };
  };

  const giveNames = (kind: Kind, id: string | undefined, url: URL, authorization: string): Reply => {
    const ends = tokens.get(/^Token (.+)$/.exec(authorization)?.[1] ?? '');
    if (ends === undefined || ends <= now()) return refused;
    if (revoked) return forbidden;
    if (id !== undefined) {
      const found = names[kind].find((entry) => entry.id === id);
      return found ? { status: 200, data: given(found) } : missing;
    }
    const size = Math.min(Number(url.searchParams.get('page_size') ?? 10), largestPage);
    const page = Number(url.searchParams.get('page') ?? 1);
    const data = names[kind].slice((page - 1) * size, page * size).map(given);
    const address = (other: number): string =>
      `${origin}${url.pathname}?page_size=${size}&page=${String(other)}`;
    const more = names[kind].length > page * size;
    const meta = {
      count: data.length,
      previous: page > 1 ? address(page - 1) : null,
      next: more ? address(page + 1) : null,
    };
    return { status: 200, meta, data };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', origin);
    const authorization = request.headers.authorization ?? '';
    const [, kind, id] = pathOf(url.pathname, account);
    const isToken = url.pathname === '/api/auth/v0/refresh/';
    const what = isToken ? 'token' : id === undefined ? (kind ?? url.pathname) : `${kind ?? ''}/${id}`;
    const fault = takeFault(what);
    if (fault?.kind === 'slow') await fault.until();
    const reply =
      request.method !== 'GET'
        ? { status: 405 }
        : isToken
          ? giveToken(authorization, url.searchParams)
          : kind === undefined
            ? missing
            : giveNames(kind as Kind, id, url, authorization);
    const status = fault?.kind === 'answer' ? fault.status : reply.status;
    requests.push({ what, url: request.url ?? '', authorization, status });
    if (fault?.kind === 'answer') {
      const headers = { 'content-type': 'application/json', date: new Date(now()).toUTCString() };
      response.writeHead(status, { ...headers, ...fault.headers }).end(fault.body ?? written({ status }));
      return;
    }
    const shown = fault?.kind === 'next' ? { ...reply, meta: { ...reply.meta, next: fault.address } } : reply;
    const body = Buffer.from(written(shown));
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': body.length,
      date: new Date(now()).toUTCString(),
    });
    if (fault?.kind !== 'cut') {
      response.end(body);
      return;
    }
    response.flushHeaders();
    response.write(body.subarray(0, fault.afterBytes), () => setImmediate(() => response.socket?.destroy()));
  };

  const server = createServer((request, response) => {
    most = Math.max(most, (underWay += 1));
    response.once('close', () => (underWay -= 1));
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url: `${origin}/api`,
    requests,
    atOnce: () => most,
    fail: (what, fault, times = 1) => void faults.push({ what, fault, times }),
    set: (changed) => void (names = { ...names, ...changed }),
    revoke: () => void (revoked = true),
    expireTokens: () => tokens.forEach((_, token) => tokens.set(token, 0)),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The kind, and the id if there is one, that an address asks for. */
function pathOf(path: string, account: string): readonly (string | undefined)[] {
  const [, of, kind, id] =
    /^\/api\/metadata\/v1\/([^/]+)\/production\/metadata\/(variant|pageevent|customtarget)(?:\/(\d+))?$/.exec(
      path,
    ) ?? [];
  return of === account ? [of, kind, id] : [];
}

/** Whether a JWT is the user's, signed with RS256, and made within 60 seconds of the server's clock (in seconds). */
function isSigned(jwt: string, publicKey: KeyObject, username: string, now: number): boolean {
  const [header = '', claims = '', signature = '', ...more] = jwt.split('.');
  const { alg } = decoded(header);
  const { username: user, iat } = decoded(claims);
  return (
    more.length === 0 &&
    alg === 'RS256' &&
    createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url') &&
    user === username &&
    typeof iat === 'number' &&
    Math.abs(iat - now) <= mostSkew
  );
}

function decoded(part: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Ids are numbers here, beyond 2^53 too. */
function given(entry: Entry): object {
  return { ...entry, id: `whole:${entry.id}` };
}

function written({ status, meta = {}, data = {} }: Reply): string {
  const text = JSON.stringify({ meta: { code: status, warnings: [], errors: [], ...meta }, data });
  return text.replaceAll(/"whole:(\d+)"/g, '$1');
}

/** The lists of names.ts as the API has them. */
function entriesOf(names: Readonly<Record<Kind, readonly { readonly id: string }[]>>): MadeNames {
  const entries = (list: readonly { readonly id: string }[]): readonly Entry[] =>
    list.map((one) => ({ ...one }));
  return {
    variant: entries(names.variant).map((one) => ({
      ...one,
      experience_id: Number(one['experience_id']),
      preview_token: 'not-to-be-kept',
    })),
    pageevent: entries(names.pageevent),
    customtarget: entries(names.customtarget),
  };
}
