/** Settings of a Megaphone source: its Metrics Export Service, which writes into the customer's own S3 bucket. */

import { z } from 'zod';

import type { MegaphoneType } from '../../vendors/megaphone/tables.js';
import { megaphone } from '../../vendors/megaphone/vendor.js';
import { maskCheck } from '../mask-columns.js';
import { duration, matching } from '../scalars.js';
import { settings } from '../settings.js';
import { durationOrNone, sourceShape, typesOf } from '../source-shape.js';
import { bucketName, keysShape, serverShape, storeType, withPairedKeys } from './s3-store.js';

const types = ['metrics', 'impressions', 'impressions-v2'] as const satisfies readonly MegaphoneType[];

const store = settings({
  type: storeType(),
  bucket: bucketName().describe('The bucket that Megaphone writes into.'),
  prefix: matching(
    /^(?:[^/].*\/)?$/,
    "must be empty, or end with '/' and not start with one, such as 'megaphone/'",
  )
    .prefault('')
    .describe(
      "What precedes 'metrics-day-…' in the keys, with its final slash. Empty (default): nothing does.",
    ),
  ...serverShape("The bucket's region."),
  ...keysShape(),
});

export const megaphoneSettings = settings({
  vendor: z.literal('megaphone').describe('Whose export it is.'),
  // 2 days: a file that an outage held back may still come the day after, and there is none for days before the set-up.
  ...sourceShape({ pollEvery: '15 minutes', giveUpAfter: '2 days', quarantineLimit: '1%' }),
  types: typesOf(types, ['metrics']).describe(
    'What is loaded: metrics (default), impressions, impressions-v2, or several.',
  ),
  settleFor: duration()
    .prefault('1 hour')
    .describe(
      'How long a file has to stand still, after the hour by which the vendor closes its day, to be final.',
    ),
  auditFor: durationOrNone()
    .prefault('48 hours')
    .describe('How long after it has become final a day is still compared with the store; 0: not at all.'),
  closesAfter: duration()
    .optional()
    .describe(
      'How long after the end of a UTC day the vendor may rewrite its file. Default: 4 hours 30 minutes, and 11 hours ' +
        'for impressions-v2.',
    ),
  store: withPairedKeys(store).describe('Where the export lies.'),
}).check(maskCheck(megaphone));
