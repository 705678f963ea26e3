/** Settings of an Optimizely source: its Enriched Events Export in an S3 bucket. */

import { z } from 'zod';

import type { OptimizelyType } from '../../vendors/optimizely/tables.js';
import { flag, httpUrl, matching, oneOf, secretText } from '../scalars.js';
import { settings } from '../settings.js';
import { sourceShape } from '../source-shape.js';

const types = ['decisions', 'events'] as const satisfies readonly OptimizelyType[];

const store = settings({
  type: oneOf(['s3']).describe('Where the files lie. Only s3 for this vendor.'),
  bucket: matching(
    /^[A-Za-z0-9][\w.-]{0,254}$/,
    "must be the name of a bucket (letters, digits, '.', '-' and '_')",
  )
    .optional()
    .describe('The bucket. May be left out with credentials.optimizelyToken, whose answer names it.'),
  prefix: matching(
    /^(?:[^/].*)?\/$/,
    "must end with '/' and not start with one, such as 'v1/account_id=596780373/'",
  )
    .optional()
    .describe("What precedes 'type=…/' in the keys, with its final slash. May be left out like the bucket."),
  region: matching(/^[a-z0-9-]+$/, "must be the name of a region, such as 'us-east-1'")
    .prefault('us-east-1')
    .describe("The bucket's region. Optimizely's own is us-east-1."),
  endpoint: httpUrl().optional().describe('Address of an S3 server other than Amazon.'),
  forcePathStyle: flag()
    .prefault(false)
    .describe('Put the bucket into the path instead of the host name, as most other S3 servers want it.'),
  accessKeyId: secretText()
    .optional()
    .describe(
      'With secretAccessKey: long-lived keys. Without any keys the default AWS credential chain applies.',
    ),
  secretAccessKey: secretText().optional().describe('Belongs to accessKeyId.'),
  sessionToken: secretText().optional().describe('Belongs to temporary keys.'),
  credentials: settings({
    optimizelyToken: secretText().describe(
      'A personal access token of Optimizely. It is exchanged for keys, which are renewed before their hour ends.',
    ),
  })
    .optional()
    .describe('Instead of keys: who gives them.'),
  credentialsUrl: httpUrl()
    .prefault('https://api.optimizely.com/v2/export/credentials')
    .describe('Where the token is exchanged.'),
})
  .refine((value) => value.credentials === undefined || !hasKeys(value), {
    error: 'must hold either keys (accessKeyId, secretAccessKey, sessionToken) or credentials, not both',
    path: ['credentials'],
    when: isMapping,
  })
  .refine((value) => value.accessKeyId === undefined || value.secretAccessKey !== undefined, {
    error: 'is missing: an accessKeyId needs its secretAccessKey',
    path: ['secretAccessKey'],
    when: isMapping,
  })
  .refine(
    (value) =>
      value.accessKeyId !== undefined ||
      (value.secretAccessKey === undefined && value.sessionToken === undefined),
    {
      error: 'is missing: a secretAccessKey or sessionToken needs its accessKeyId',
      path: ['accessKeyId'],
      when: isMapping,
    },
  )
  .refine((value) => value.bucket !== undefined || value.credentials !== undefined, {
    error: 'is missing: only with credentials.optimizelyToken it may be left out',
    path: ['bucket'],
    when: isMapping,
  })
  .refine((value) => value.prefix !== undefined || value.credentials !== undefined, {
    error: 'is missing: only with credentials.optimizelyToken it may be left out',
    path: ['prefix'],
    when: isMapping,
  });

function hasKeys(value: {
  accessKeyId?: unknown;
  secretAccessKey?: unknown;
  sessionToken?: unknown;
}): boolean {
  return [value.accessKeyId, value.secretAccessKey, value.sessionToken].some((key) => key !== undefined);
}

/** These rules are looked at even when a single value beside them is wrong, so that one error tells everything. */
function isMapping({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const optimizelySettings = settings({
  vendor: z.literal('optimizely').describe('Whose export it is.'),
  ...sourceShape({ pollEvery: '15 minutes', giveUpAfter: '3 days', quarantineLimit: '1%' }),
  types: z
    .array(oneOf(types), { error: 'must be a list' })
    .min(1, { error: 'must name at least one type' })
    .refine((list) => new Set(list).size === list.length, { error: 'must not name a type twice' })
    .prefault([...types])
    .describe('What is loaded: decisions, events, or both (default).'),
  store: store.describe('Where the export lies.'),
});
