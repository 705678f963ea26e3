/** What goes wrong with an S3 server, as sentences. */

import { S3ServiceException } from '@aws-sdk/client-s3';

import { hideSecrets } from '../config/secret.js';
import { Failure, failureTypes, type FailureType } from '../model/failure.js';
import { handshakeAdvice } from './handshake.js';

/** What was done, and what the keys have to allow for it. */
export interface Doing {
  /** `listing s3://bucket/prefix` */
  readonly what: string;
  /** `list and read` */
  readonly right: string;
}

/** Codes by which a request is refused that is likely to be refused again, what they mean, and what to do about it. */
const refusals: readonly {
  readonly code: RegExp;
  readonly words?: RegExp;
  readonly type: FailureType;
  readonly advice: (doing: Doing) => string;
}[] = [
  {
    // "the region 'us-east-1' is wrong; expecting 'eu-west-1'"
    code: /^(NoSuchBucket|InvalidBucketName|PermanentRedirect|AuthorizationHeaderMalformed)$/,
    type: failureTypes.configInvalid,
    advice: () => "Check bucket, region and endpoint of the source's store.",
  },
  {
    code: /^InvalidObjectState$/,
    type: failureTypes.accessDenied,
    advice: () =>
      'The object is archived (a storage class such as GLACIER or DEEP_ARCHIVE) and cannot be read as it is. Restore it ' +
      "(`aws s3api restore-object`, or the bucket's console) and wait until that is done, or ask whoever owns the " +
      "bucket's lifecycle rules; then reprocess the delivery.",
  },
  {
    code: /^(AccessDenied|403|Forbidden)$/,
    words: /requester.?pays|request-?payer/i,
    type: failureTypes.accessDenied,
    advice: () =>
      "The bucket's owner has whoever reads it pay for it. Set store.requesterPays to true if your AWS account is to be " +
      'charged, restart the workers, then reprocess the delivery.',
  },
  {
    code: /^(AccessDenied|KMS\..*)$/,
    words: /kms/i,
    type: failureTypes.accessDenied,
    advice: () =>
      'The object is encrypted with a key of KMS that these credentials may not use. Grant them kms:Decrypt for it, then ' +
      'reprocess the delivery.',
  },
  {
    code: /^SignatureDoesNotMatch$/,
    type: failureTypes.accessDenied,
    advice: () =>
      "Check the secretAccessKey of the source's store: a letter is wrong or missing. If it is right, a proxy between " +
      'Landfall and the server changes requests. Then reprocess the delivery.',
  },
  {
    code: /^InvalidAccessKeyId$/,
    type: failureTypes.accessDenied,
    advice: () =>
      "The server does not know the accessKeyId of the source's store: it was deleted, belongs to another server " +
      '(store.endpoint), or is a temporary one without its sessionToken. Then reprocess the delivery.',
  },
  {
    code: /^InvalidToken$/,
    type: failureTypes.accessDenied,
    advice: () =>
      "The sessionToken of the source's store does not belong to its keys. Give all three anew, then reprocess the " +
      'delivery.',
  },
  {
    code: /^(AccountProblem|AllAccessDisabled|NotSignedUp|InvalidPayer)$/,
    type: failureTypes.accessDenied,
    advice: () =>
      "The bucket owner's or your own AWS account is blocked or not paid for. Whoever owns it has to settle that; then " +
      'reprocess the delivery.',
  },
  {
    code: /^CredentialsProviderError$/,
    type: failureTypes.accessDenied,
    advice: () =>
      'No credentials were found: give accessKeyId and secretAccessKey in the store, or see to it that the worker has ' +
      'those of the default AWS chain (environment, profile, role). Then reprocess the delivery.',
  },
];

/** Codes of what passes, beyond what every failure of a server is, and what to do when it does not. */
const passing: readonly { readonly code: RegExp; readonly advice: string }[] = [
  {
    code: /^RequestTimeTooSkewed$/,
    advice:
      "This machine's clock and the server's are more than 15 minutes apart: set this machine's clock (NTP).",
  },
  {
    code: /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired)$/,
    advice:
      'The temporary keys have expired. Keys that are exchanged or come from a role are renewed; a sessionToken in the ' +
      'configuration has to be replaced with its keys, and the workers restarted.',
  },
  {
    code: /^NoListing$/,
    advice:
      'Landfall takes nothing but a whole listing for one, so nothing is taken for empty or gone. If it stays like this, ' +
      "see what stands between Landfall and the server, and check the store's endpoint.",
  },
];

/** Turns what the SDK throws into our taxonomy; an abort passes as it is. */
export function explain(error: unknown, what: string, right = 'list and read'): unknown {
  if (error instanceof Failure || (error instanceof Error && error.name === 'AbortError')) return error;
  const { code, message, status } = wordsOf(error);
  const cause = withoutSecrets(error);
  // Some servers have no words of their own, and the SDK then says its own name of the error.
  const words = message === code || message === 'UnknownError' ? '' : `: ${message}`;
  const doing = { what, right };
  const refusal = refusals.find(
    (known) => known.code.test(code) && (known.words === undefined || known.words.test(message)),
  );
  if (refusal) {
    const isWrong = refusal.type === failureTypes.configInvalid;
    return new Failure(
      refusal.type,
      `${capital(what)} ${isWrong ? 'failed' : 'was refused'}: ${code}${words}. ` + refusal.advice(doing),
      { cause, mayPass: true },
    );
  }
  const known = passing.find((one) => one.code.test(code));
  if (known === undefined && (status === 401 || status === 403)) {
    return new Failure(
      failureTypes.accessDenied,
      `${capital(what)} was refused: ${code}${words}. ${refusedAdvice(code, right)}`,
      { cause },
    );
  }
  const advice = known?.advice ?? handshakeAdvice(error, "the store's endpoint");
  const shown = code === 'NoListing' ? message : `failed: ${code}${words}`;
  return new Failure(
    failureTypes.storeUnavailable,
    `${capital(what)} ${shown}. It is retried.${advice === undefined ? '' : ` ${advice}`}`,
    { cause },
  );
}

function refusedAdvice(code: string, right: string): string {
  const check = `Check the source's credentials and that they may ${right} this prefix, then reprocess the delivery.`;
  if (/^(AccessDenied|Forbidden)$/.test(code)) return check;
  return `The answer is not one that S3 gives, so a proxy or firewall may have refused it. ${check}`;
}

function wordsOf(error: unknown): { code: string; message: string; status: number | undefined } {
  if (!(error instanceof Error))
    return { code: 'unknown', message: hideSecrets(String(error)), status: undefined };
  const message = error instanceof AggregateError && error.message === '' ? firstOf(error) : error.message;
  return {
    code: hideSecrets(error.name),
    message: hideSecrets(message).replace(/\.$/, ''),
    status: error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined,
  };
}

/** Several addresses of a host that all refuse are an error without a message of its own. */
function firstOf(error: AggregateError): string {
  return error.errors[0] instanceof Error ? error.errors[0].message : '';
}

/**
 * What may go into logs and histories of an error that a server answered with: S3 puts into its body, and the SDK onto the
 * error, what was signed, with the session's token, and the token itself.
 */
function withoutSecrets(error: unknown): Error {
  const { code, message } = wordsOf(error);
  const plain = new Error(message);
  plain.name = code;
  if (error instanceof Error && error.stack !== undefined) plain.stack = hideSecrets(error.stack);
  return plain;
}

export function isGone(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  const status = error.$metadata.httpStatusCode;
  return status === 412 || (status === 404 && error.name !== 'NoSuchBucket');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
