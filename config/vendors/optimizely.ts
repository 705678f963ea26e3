/** Settings of an Optimizely source: its Enriched Events Export in an S3 bucket. */

import { z } from 'zod';

import type { OptimizelyType } from '../../vendors/optimizely/tables.js';
import { optimizely } from '../../vendors/optimizely/vendor.js';
import { maskCheck } from '../mask-columns.js';
import { httpUrl, matching, secretText } from '../scalars.js';
import { settings } from '../settings.js';
import { durationOrNone, sourceShape, typesOf } from '../source-shape.js';
import {
  bucketName,
  hasKeys,
  isMapping,
  keysShape,
  serverShape,
  storeType,
  withPairedKeys,
} from './s3-store.js';

const types = ['decisions', 'events'] as const satisfies readonly OptimizelyType[];

const place = settings({
  type: storeType(),
  bucket: bucketName()
    .optional()
    .describe('The bucket. May be left out with credentials.optimizelyToken, whose answer names it.'),
  prefix: matching(
    /^(?:[^/].*)?\/$/,
    "must end with '/' and not start with one, such as 'v1/account_id=596780373/'",
  )
    .optional()
    .describe("What precedes 'type=…/' in the keys, with its final slash. May be left out like the bucket."),
  ...serverShape("The bucket's region. Optimizely's own is us-east-1."),
  ...keysShape(),
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
}).refine((value) => value.credentials === undefined || !hasKeys(value), {
  error: 'must hold either keys (accessKeyId, secretAccessKey, sessionToken) or credentials, not both',
  path: ['credentials'],
  when: isMapping,
});

const store = withPairedKeys(place)
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

export const optimizelySettings = settings({
  vendor: z.literal('optimizely').describe('Whose export it is.'),
  ...sourceShape({ pollEvery: '15 minutes', giveUpAfter: '3 days', quarantineLimit: '1%' }),
  types: typesOf(types, types).describe('What is loaded: decisions, events, or both (default).'),
  auditFor: durationOrNone()
    .prefault('30 days')
    .describe(
      'How long after it has become final a day is still compared with the store; 0: not at all. One whose files changed is loaded again.',
    ),
  store: store.describe('Where the export lies.'),
}).check(maskCheck(optimizely));
