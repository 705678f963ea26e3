/** Answers that are no 200, in Elasticsearch's form, whose senders then read them as what they know. */
export interface Refusal {
  readonly status: number;
  /** A stable name. */
  readonly type: string;
  /** A sentence: what is wrong and what to do. */
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Seconds after which a request that could not be taken may come again. */
const retryAfter = { 'retry-after': '5' };

export const refusals = {
  unknownPath: {
    status: 404,
    type: 'unknown_path',
    reason:
      "Nothing is here. Send to /dynatrace/<source>, to /dynatrace/<source>/_bulk, or to the source's own path in landfall.yaml.",
  },
  unknownSource: {
    status: 404,
    type: 'unknown_source',
    reason:
      'These credentials are for no source of this name. The name and its auth are those in landfall.yaml.',
  },
  severalSources: {
    status: 400,
    type: 'several_sources',
    reason:
      'These credentials are for several sources. Send to /<source>/_bulk, to /dynatrace/<source>/_bulk, or give each source credentials of its own.',
  },
  wrongMethod: {
    status: 405,
    type: 'wrong_method',
    reason: 'Send with PUT or POST.',
    headers: { allow: 'PUT, POST' },
  },
  stalled: {
    status: 408,
    type: 'body_stalled',
    reason: 'The body did not come in time. Nothing of it was kept.',
    headers: { connection: 'close' },
  },
  unreadableGzip: {
    status: 400,
    type: 'unreadable_gzip',
    reason: 'The body is not whole gzip, which its Content-Encoding says it is. Nothing of it was kept.',
  },
  unknownCoding: {
    status: 415,
    type: 'unknown_coding',
    reason: 'Send the body as it is, or with Content-Encoding: gzip.',
    headers: { 'accept-encoding': 'gzip' },
  },
  busy: {
    status: 503,
    type: 'busy',
    reason: 'Too many bodies are under way. Nothing of this one was kept: send it again.',
    headers: retryAfter,
  },
  notKept: {
    status: 503,
    type: 'not_kept',
    reason: 'Postgres did not say that it has the body: send it again.',
    headers: retryAfter,
  },
  longHeaders: { status: 431, type: 'headers_too_long', reason: 'The headers are too long.' },
  malformed: { status: 400, type: 'malformed', reason: 'The request cannot be read.' },
} as const satisfies Readonly<Record<string, Refusal>>;

export function tooLarge(maxBody: number): Refusal {
  return {
    status: 413,
    type: 'body_too_large',
    reason: `The body is larger than ${maxBody} bytes (receiver.maxBody). Nothing of it was kept.`,
  };
}

/** `challenges`: the ways to log in, as WWW-Authenticate has them. */
export function wrongCredentials(challenges: readonly string[]): Refusal {
  return {
    status: 401,
    type: 'wrong_credentials',
    reason: "The credentials are not those of a source's auth in landfall.yaml.",
    headers: { 'www-authenticate': challenges.join(', ') },
  };
}

export function refusalBody({ status, type, reason }: Refusal): string {
  return `${JSON.stringify({ error: { type, reason }, status })}\n`;
}
