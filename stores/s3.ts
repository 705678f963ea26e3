import type { Readable } from 'node:stream';

import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';

import { Failure, failureTypes } from '../model/failure.js';
import { changed, download, unquote, type Opened } from './download.js';
import { reportFaults } from './s3-faults.js';
import type { FetchOptions, ListingPage, ListOptions, Store, StoredFile } from './store.js';

export interface S3Settings {
  readonly bucket: string;
  /** Root of the store; empty, or ending with `/`. */
  readonly prefix: string;
  readonly region: string;
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
  /** Absent: the default AWS credential chain. */
  readonly credentials?: NonNullable<S3ClientConfig['credentials']>;
  /** Milliseconds without a byte after which a connection is given up and resumed. Default 30 seconds. */
  readonly idleTimeout?: number;
}

export function openS3(settings: S3Settings): Store {
  const client = new S3Client({
    region: settings.region,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(settings.forcePathStyle === undefined ? {} : { forcePathStyle: settings.forcePathStyle }),
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    // Optimizely's and most compatible servers send none; where one is sent it is checked.
    responseChecksumValidation: 'WHEN_SUPPORTED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, socketTimeout: settings.idleTimeout ?? 30_000 },
  });
  const name = `s3://${settings.bucket}/${settings.prefix}`;
  reportFaults(client, (error) => explain(error, `asking ${name}`));

  async function* list(prefix: string, options: ListOptions = {}): AsyncIterable<ListingPage> {
    let token: string | undefined;
    do {
      // The final slash matters: Optimizely's credentials refuse a listing of anything but folders.
      const page = await client
        .send(
          new ListObjectsV2Command({
            Bucket: settings.bucket,
            Prefix: settings.prefix + prefix,
            ContinuationToken: token,
            ...(options.depth === 'level' ? { Delimiter: '/' } : {}),
          }),
          sendOptions(options.signal),
        )
        .catch((error: unknown) => {
          throw explain(error, `listing ${name}${prefix}`);
        });
      const relative = (key: string): string => key.slice(settings.prefix.length);
      yield {
        files: (page.Contents ?? []).map((object) => ({
          key: relative(object.Key ?? ''),
          version: unquote(object.ETag ?? ''),
          size: object.Size ?? 0,
          modified: object.LastModified?.getTime() ?? 0,
        })),
        folders: (page.CommonPrefixes ?? []).map((folder) => relative(folder.Prefix ?? '')),
      };
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      if (page.IsTruncated === true && token === undefined) {
        throw new Failure(
          failureTypes.storeUnavailable,
          `Listing ${name}${prefix} ended in the middle: the server says there is more, and not where. It is retried.`,
        );
      }
    } while (token !== undefined);
  }

  /** Opens the listed version from an offset on, or from its start where the server ignores ranges. */
  async function open(file: StoredFile, offset: number, signal?: AbortSignal): Promise<Opened> {
    const object = await client
      .send(
        new GetObjectCommand({
          Bucket: settings.bucket,
          Key: settings.prefix + file.key,
          IfMatch: `"${file.version}"`,
          ...(offset > 0 ? { Range: `bytes=${offset}-` } : {}),
        }),
        sendOptions(signal),
      )
      .catch((error: unknown) => {
        if (isGone(error)) throw changed(name, file, 'that version is no longer there');
        throw explain(error, `reading ${name}${file.key}`);
      });
    const body = object.Body as Readable;
    const from = object.ContentRange === undefined ? 0 : offset;
    // Some servers ignore If-Match, so what came is compared with what was listed.
    const version = unquote(object.ETag ?? file.version);
    const length = from + (object.ContentLength ?? file.size - from);
    if (version !== file.version || length !== file.size) {
      body.destroy();
      throw changed(name, file, `it was written anew as version ${version}`);
    }
    return { body, from };
  }

  function fetch(file: StoredFile, path: string, options?: FetchOptions): Promise<void> {
    const explainReading = (fault: unknown): unknown => explain(fault, `reading ${name}${file.key}`);
    return download(file, path, { open, explain: explainReading, isDamage }, options);
  }

  async function remove(file: StoredFile, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await client
      .send(
        new DeleteObjectCommand({ Bucket: settings.bucket, Key: settings.prefix + file.key }),
        sendOptions(options.signal),
      )
      .catch((error: unknown) => {
        if (isGone(error)) return;
        throw explain(error, `deleting ${name}${file.key}`, 'delete below');
      });
  }

  return {
    name,
    list,
    fetch,
    remove,
    close: async () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

function sendOptions(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** The SDK knows it when the last byte has come. It has no error of its own for it. */
function isDamage(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Checksum mismatch');
}

function isGone(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  const status = error.$metadata.httpStatusCode;
  return status === 412 || status === 404;
}

/** Codes that speak of a wrong bucket, region or endpoint. */
const misplaced: ReadonlySet<string> = new Set([
  'NoSuchBucket',
  'InvalidBucketName',
  'PermanentRedirect',
  // "the region 'us-east-1' is wrong; expecting 'eu-west-1'"
  'AuthorizationHeaderMalformed',
]);

/** Turns what the SDK throws into our taxonomy; an abort passes as it is. */
function explain(error: unknown, doing: string, right = 'list and read'): unknown {
  if (error instanceof Failure || (error instanceof Error && error.name === 'AbortError')) return error;
  const message = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  const code = error instanceof Error ? error.name : 'unknown';
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (misplaced.has(code)) {
    return new Failure(
      failureTypes.configInvalid,
      `${capital(doing)} failed: ${code}: ${message}. Check bucket, region and endpoint of the source's store.`,
      { cause: error },
    );
  }
  const passing =
    code === 'ExpiredToken' || code === 'ExpiredTokenException' || code === 'RequestTimeTooSkewed';
  const refused = status === 401 || status === 403 || code === 'InvalidToken';
  if (!passing && (refused || code === 'CredentialsProviderError')) {
    return new Failure(
      failureTypes.accessDenied,
      `${capital(doing)} was refused: ${code}: ${message}. Check the source's credentials and that they may ${right} ` +
        `this prefix, then reprocess the delivery.`,
      { cause: error },
    );
  }
  return new Failure(
    failureTypes.storeUnavailable,
    `${capital(doing)} failed: ${code}: ${message}. It is retried.`,
    { cause: error },
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
