/** What sources of every vendor whose files lie in S3 say of their bucket. */

import type { z } from 'zod';

import { allowHttp, httpsOnly } from '../https-only.js';
import { flag, httpUrl, matching, oneOf, secretText } from '../scalars.js';

export function storeType() {
  return oneOf(['s3']).describe('Where the files lie. Only s3 for this vendor.');
}

export function bucketName() {
  return matching(
    /^[A-Za-z0-9][\w.-]{0,254}$/,
    "must be the name of a bucket (letters, digits, '.', '-' and '_')",
  );
}

/** Where the server is and how it is spoken to. `region` is what the texts say of the default, us-east-1. */
export function serverShape(region: string) {
  return {
    region: matching(/^[a-z0-9-]+$/, "must be the name of a region, such as 'us-east-1'")
      .prefault('us-east-1')
      .describe(region),
    endpoint: httpUrl().optional().describe('Address of an S3 server other than Amazon.'),
    allowHttp: allowHttp('endpoint'),
    forcePathStyle: flag()
      .prefault(false)
      .describe('Put the bucket into the path instead of the host name, as most other S3 servers want it.'),
    requesterPays: flag()
      .optional()
      .describe('Your AWS account pays for the requests, as the owner of a requester pays bucket wants it.'),
  };
}

export function keysShape() {
  return {
    accessKeyId: secretText()
      .optional()
      .describe(
        'With secretAccessKey: long-lived keys. Without any keys the default AWS credential chain applies.',
      ),
    secretAccessKey: secretText().optional().describe('Belongs to accessKeyId.'),
    sessionToken: secretText().optional().describe('Belongs to temporary keys.'),
  };
}

interface Keys {
  readonly accessKeyId?: unknown;
  readonly secretAccessKey?: unknown;
  readonly sessionToken?: unknown;
}

export function hasKeys({ accessKeyId, secretAccessKey, sessionToken }: Keys): boolean {
  return [accessKeyId, secretAccessKey, sessionToken].some((key) => key !== undefined);
}

/** A store's settings, whose keys have to be there in pairs, and are not given away over http://. */
export function withPairedKeys<T extends z.ZodType<Keys>>(store: T): T {
  return httpsOnly(store, ['endpoint', 'credentialsUrl'])
    .refine((value) => value.accessKeyId === undefined || value.secretAccessKey !== undefined, {
      error: 'is missing: an accessKeyId needs its secretAccessKey',
      path: ['secretAccessKey'],
      when: isMapping,
    })
    .refine((value) => value.accessKeyId !== undefined || !hasKeys(value), {
      error: 'is missing: a secretAccessKey or sessionToken needs its accessKeyId',
      path: ['accessKeyId'],
      when: isMapping,
    });
}

/** Rules between settings are looked at even when a single value is wrong, so that one error tells everything. */
export function isMapping({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
