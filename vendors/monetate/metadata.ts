/**
 * The metadata API, by which ids in sessions have names: addresses, answers, and what is signed to be let in. Pure: who
 * asks, waits and signs is outside.
 *
 * A list is asked for 1,000 at a time, the most there is ("higher values will be clamped"), and goes on at `meta.next`. An
 * id that a list does not have is asked for by itself: it is gone (404) or new.
 */

import type { NameKind } from '../../model/names.js';

/** What one id is called: a row of the kind's table in tables.ts, but for when it was seen. Absent texts are null. */
export type Named = Readonly<Record<string, string | boolean | null>> & { readonly id: string };

/** The columns of each kind, and where the API has them. `preview_token` lets see what is not published: not kept. */
const fields: Readonly<Record<NameKind, Readonly<Record<string, string>>>> = {
  variant: {
    variant_name: 'split_name',
    variant_description: 'split_description',
    experience_id: 'experience_id',
    experience_name: 'experience_name',
    experience_type: 'experience_type',
    integration_type: 'integration_type',
    account_domain: 'account_domain',
  },
  pageevent: { title: 'title' },
  customtarget: {
    title: 'title',
    description: 'description',
    is_identifier: 'is_identifier',
    collects_person_id: 'collects_person_id',
  },
};
const flags = ['is_identifier', 'collects_person_id'];

const pageSize = 1_000;

/** Address of the first page of a kind. `api` is the source's `metadata.url`. */
export function listAddress(api: string, account: string, kind: NameKind): string {
  return `${kindAddress(api, account, kind)}?page_size=${pageSize}`;
}

/** Address of one id. Throws RangeError for what is no id: it comes from files. */
export function oneAddress(api: string, account: string, kind: NameKind, id: string): string {
  if (!isId(id)) throw new RangeError(`'${id}' is no id of the metadata API`);
  return `${kindAddress(api, account, kind)}/${id}`;
}

function kindAddress(api: string, account: string, kind: NameKind): string {
  return `${api.replace(/\/+$/, '')}/metadata/v1/${encodeURIComponent(account)}/production/metadata/${kind}`;
}

/** Whether the API can be asked for it: its ids are whole numbers, while a file may hold any key. */
export function isId(id: string): boolean {
  return /^\d{1,19}$/.test(id);
}

export interface NamePage {
  readonly named: readonly Named[];
  /** Address of the next page. */
  readonly next?: string;
}

/** A page of a list. Throws an Error with a sentence for anything else. `address` is where it came from. */
export function parsePage(kind: NameKind, address: string, text: string): NamePage {
  const { meta, data } = parseEnvelope(text);
  if (!Array.isArray(data)) throw new Error('Its data is no list.');
  const next = nextAddress(meta['next'], address);
  return { named: data.map((entry) => parseNamed(kind, entry)), ...(next === undefined ? {} : { next }) };
}

/** The answer about one id. */
export function parseOne(kind: NameKind, text: string): Named {
  return parseNamed(kind, parseEnvelope(text).data);
}

type Fields = Readonly<Record<string, unknown>>;

function parseEnvelope(text: string): { readonly meta: Fields; readonly data: unknown } {
  // Ids are whole numbers; those beyond 2^53 would be rounded to those of others.
  const exact = text.replace(
    /("(?:[^"\\]|\\.)*")|(?<=[\s:,[])(\d{16,})(?=[\s,}\]])/g,
    (_, string: string, number) => (number === undefined ? string : `"${String(number)}"`),
  );
  let answer: unknown;
  try {
    answer = JSON.parse(exact);
  } catch {
    throw new Error('It is no JSON.');
  }
  if (!isObject(answer) || !isObject(answer['meta'])) throw new Error('It has no meta.');
  const { meta, data } = answer as { meta: Fields; data: unknown };
  const errors = meta['errors'];
  if (Array.isArray(errors) && errors.length > 0) {
    throw new Error(`It reports errors: ${JSON.stringify(errors).slice(0, 200)}`);
  }
  return { meta, data };
}

function parseNamed(kind: NameKind, entry: unknown): Named {
  const id = isObject(entry) ? textOf(entry['id']) : null;
  if (!isObject(entry) || id === null || id === '') throw new Error('An entry of its data has no id.');
  const columns = Object.entries(fields[kind]).map(([column, field]) => {
    const value = entry[field];
    return [column, flags.includes(column) ? (typeof value === 'boolean' ? value : null) : textOf(value)];
  });
  return { id, ...(Object.fromEntries(columns) as Record<string, string | boolean | null>) };
}

/** Sessions hold ids as text. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

/** The token goes along: only to where it went before. */
function nextAddress(next: unknown, address: string): string | undefined {
  if (next === undefined || next === null || next === '') return undefined;
  const url = typeof next === 'string' && URL.canParse(next, address) ? new URL(next, address) : undefined;
  if (url === undefined) throw new Error('Its meta.next is no address.');
  if (url.origin !== new URL(address).origin) {
    throw new Error(`Its meta.next leads to ${url.origin}, where the token does not belong.`);
  }
  if (url.href === new URL(address).href) throw new Error('Its meta.next leads to itself.');
  return url.href;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What an answer's status asks for: `use` it; a new token (`renew`); a person (`stop`: the token's key was revoked, and
 * trying again does not mend that); the id is `gone`, and keeps its last names; or ask again `later`.
 */
export type Reaction = 'use' | 'renew' | 'stop' | 'gone' | 'later';

export function reactionTo(status: number): Reaction {
  if (status >= 200 && status < 300) return 'use';
  if (status === 401) return 'renew';
  if (status === 404) return 'gone';
  // 429 has no published limits.
  if (status === 408 || status === 429 || status >= 500) return 'later';
  return 'stop';
}

/** Milliseconds that `Retry-After` asks for, in seconds or as a date; undefined where it says nothing. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\s*(\d+)\s*$/.exec(header)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Asked for: an hour, which both of the page's lower bounds allow (it says 600 seconds and 15 minutes). */
const tokenSeconds = 3_600;

/** Where a token is asked for, with `Authorization: JWT <what was signed>`. */
export function tokenAddress(api: string): string {
  return `${api.replace(/\/+$/, '')}/auth/v0/refresh/?ttl=${tokenSeconds}`;
}

/**
 * What is signed with RS256 to ask for a token: header and claims of the JWT, as they go before the signature. It is good
 * for a minute around `now`, by the vendor's clock.
 */
export function toSign(username: string, now: number): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode({ username, iat: Math.floor(now / 1_000) })}`;
}

export interface Token {
  /** Goes into `Authorization: Token …`. */
  readonly token: string;
  /** Epoch ms: from then on another is asked for. */
  readonly renewAt: number;
}

/** The answer with a token. Throws an Error with a sentence that holds nothing of it. */
export function parseToken(text: string, now: number): Token {
  const { data } = parseEnvelope(text);
  const { token, expires_in: seconds } = isObject(data) ? data : {};
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw new Error('It has no token.');
  // By our clock from now on, since the instant of expiry is by theirs; renewed when a tenth of it is left.
  const lasts = typeof seconds === 'number' && seconds > 0 ? seconds : tokenSeconds;
  return { token, renewAt: now + lasts * 900 };
}
