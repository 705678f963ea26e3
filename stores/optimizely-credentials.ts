import { z } from 'zod';

import { knowSecret } from '../config/secret.js';
import { Failure, failureTypes } from '../model/failure.js';

/** `s3://optimizely-events-data/v1/account_id=123`, with a final slash or without. A key, hence nothing is unescaped. */
const s3Path = /^s3:\/\/([^/]+)\/+(.*?)\/*$/s;

/** Answer of the vendor's credentials endpoint; `expiration` is in epoch milliseconds. */
const answerShape = z.object({
  credentials: z.object({
    accessKeyId: z.string().min(1),
    secretAccessKey: z.string().min(1),
    sessionToken: z.string().optional(),
    expiration: z.number(),
  }),
  s3Path: z.string().regex(s3Path),
});

export interface OptimizelyGrant {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration: Date;
  readonly bucket: string;
  /** With its final slash, which the vendor's documentation leaves out and its stub has. */
  readonly prefix: string;
}

/**
 * Exchanges a personal token for keys of one hour, the longest that Optimizely grants. The S3 client asks again before
 * they expire. Throws `AccessDenied` when the token is refused; other faults are passing.
 */
export async function exchangeToken(url: string, token: string): Promise<OptimizelyGrant> {
  const address = new URL(url);
  address.searchParams.set('duration', '1h');
  const what = `Exchanging the Optimizely token at ${address.origin}${address.pathname}`;
  // The HTTP client would quote a header that it refuses, token and all.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Failure(
      failureTypes.accessDenied,
      `credentials.optimizelyToken holds a character that no token has, such as a space or a line break. Copy the ` +
        `token again, then reprocess the delivery.`,
    );
  }
  let response: Response;
  try {
    response = await fetch(address, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      signal: AbortSignal.timeout(30_000),
      redirect: 'error',
    });
  } catch (error) {
    throw new Failure(failureTypes.storeUnavailable, `${what} failed: ${wordOf(error)}. It is retried.`);
  }
  if (response.status === 401 || response.status === 403) {
    throw new Failure(
      failureTypes.accessDenied,
      `${what} was refused with status ${response.status}. Check credentials.optimizelyToken: it must be a personal ` +
        `token of a user who may export, then reprocess the delivery.`,
    );
  }
  if (!response.ok) {
    throw new Failure(
      failureTypes.storeUnavailable,
      `${what} failed with status ${response.status}. It is retried.`,
    );
  }
  // The answer holds keys: an error about it names fields, never values.
  const answer = answerShape.safeParse(await response.json().catch(() => undefined));
  if (!answer.success) {
    const fields = answer.error.issues.map((issue) => issue.path.join('.') || 'the body').join(', ');
    throw new Failure(
      failureTypes.storeUnavailable,
      `${what} gave an answer that is not as documented (${fields}). It is retried.`,
    );
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = answer.data.credentials;
  for (const value of [accessKeyId, secretAccessKey, sessionToken ?? '']) knowSecret(value);
  const [, bucket = '', folder = ''] = s3Path.exec(answer.data.s3Path) ?? [];
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    expiration: new Date(expiration),
    bucket,
    prefix: folder === '' ? '' : `${folder}/`,
  };
}

/** "fetch failed" says nothing; its cause does: `connect ECONNREFUSED 127.0.0.1:443`. */
function wordOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
