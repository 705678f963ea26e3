import type { Readable } from 'node:stream';

import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';

import { changed, download, unquote, type Opened } from './download.js';
import { knowSecret } from '../config/secret.js';
import { explain, isGone } from './s3-failures.js';
import { checkPage, refuseOtherAnswers } from './s3-listing.js';
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
  /** Whoever reads pays, and says so with every request. */
  readonly requesterPays?: boolean;
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
  refuseOtherAnswers(client);
  rememberTokens(client);
  if (typeof settings.credentials === 'object') {
    const { accessKeyId, secretAccessKey } = settings.credentials;
    [accessKeyId, secretAccessKey].forEach(knowSecret);
  }
  const payer = settings.requesterPays === true ? ({ RequestPayer: 'requester' } as const) : {};
  const name = `s3://${settings.bucket}/${settings.prefix}`;
  reportFaults(client, (error) => explain(error, `asking ${name}`));

  async function* list(prefix: string, options: ListOptions = {}): AsyncIterable<ListingPage> {
    const asked = {
      bucket: settings.bucket,
      // The final slash matters: Optimizely's credentials refuse a listing of anything but folders.
      prefix: settings.prefix + prefix,
      delimiter: options.depth === 'level' ? '/' : undefined,
    };
    const relative = (key: string): string => key.slice(settings.prefix.length);
    const tokens = new Set<string>();
    let token: string | undefined;
    do {
      const page = await client
        .send(
          new ListObjectsV2Command({
            Bucket: asked.bucket,
            Prefix: asked.prefix,
            ContinuationToken: token,
            ...(asked.delimiter === undefined ? {} : { Delimiter: asked.delimiter }),
            ...payer,
          }),
          sendOptions(options.signal),
        )
        .then((answer) => {
          checkPage(answer, { ...asked, token, tokens });
          return answer;
        })
        .catch((error: unknown) => {
          throw explain(error, `listing ${name}${prefix}`);
        });
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
      if (token !== undefined) tokens.add(token);
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
          ...payer,
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
        new DeleteObjectCommand({ Bucket: settings.bucket, Key: settings.prefix + file.key, ...payer }),
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

/** Servers repeat the token that a request came with, which may be one that the SDK has only just been given. */
function rememberTokens(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Readonly<Record<string, string>> };
      const token = headers['x-amz-security-token'];
      if (token !== undefined) knowSecret(token);
      return next(args);
    },
    { step: 'deserialize', priority: 'low', name: 'landfallTokens' },
  );
}
