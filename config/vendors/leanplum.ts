/** Settings of a Leanplum source: its automatic export of raw sessions into the customer's own S3 bucket. */

import { z } from 'zod';

import { leanplum } from '../../vendors/leanplum/vendor.js';
import { maskCheck } from '../mask-columns.js';
import { duration, flag, httpUrl, matching, secretText, text } from '../scalars.js';
import { settings } from '../settings.js';
import { allowHttp, httpsOnly } from '../https-only.js';
import { durationOrNone, sourceShape } from '../source-shape.js';
import { bucketName, keysShape, serverShape, storeType, withPairedKeys } from './s3-store.js';

const store = settings({
  type: storeType(),
  bucket: bucketName().describe('The bucket that Leanplum writes into.'),
  prefix: matching(
    /^(?:[^/].*\/)?$/,
    "must be empty, or end with '/' and not start with one, such as 'leanplum/'",
  )
    .prefault('')
    .describe(
      "What precedes the folders of days ('20261120/') in the keys, with its final slash. Empty (default): nothing does.",
    ),
  ...serverShape("The bucket's region."),
  ...keysShape(),
});

const giveUpAfter = '3 days';

export const leanplumSettings = settings({
  vendor: z.literal('leanplum').describe('Whose export it is.'),
  ...sourceShape({ pollEvery: '15 minutes', giveUpAfter, quarantineLimit: '1%' }),
  // For other vendors it ends the wait for the marker; a job's manifest is awaited for `discardAfter`.
  giveUpAfter: duration()
    .prefault(giveUpAfter)
    .describe('How long after the end of its day a job of which there is no file at all is looked for.'),
  discardAfter: duration()
    .prefault('24 hours')
    .describe(
      "How long after a job's first file its manifests are awaited. Then the job is discarded, and loaded if they come after all.",
    ),
  uploadGrace: duration()
    .prefault('2 hours')
    .describe(
      'How long after its last manifest a shard that is listed may be missing. Then the delivery fails, visibly.',
    ),
  auditFor: durationOrNone()
    .prefault('7 days')
    .describe(
      'How long after it has become final a job is still compared with the store; 0: not at all. One whose files changed is loaded again.',
    ),
  deleteDiscarded: flag()
    .prefault(false)
    .describe(
      'Delete the shards of discarded jobs from the bucket, once the ledger lists them. Such a job cannot be loaded any more.',
    ),
  store: withPairedKeys(store).describe('Where the export lies.'),
  api: httpsOnly(
    settings({
      appId: text().describe('The app, as App ID in its keys and settings.'),
      clientKey: secretText().describe("The app's key for data export."),
      url: httpUrl().prefault('https://api.leanplum.com/api').describe("Address of Leanplum's API."),
      allowHttp: allowHttp('url'),
      privateResults: flag()
        .optional()
        .describe(
          "Read results also from addresses of private networks and without TLS, wherever Leanplum's answer leads.",
        ),
      copyToStore: settings({
        accessKeyId: secretText().describe('Key with which Leanplum may write into the bucket.'),
        secretAccessKey: secretText().describe('Belongs to accessKeyId.'),
      })
        .optional()
        .describe(
          "Have Leanplum copy exports that are asked for into the store's own bucket, where they stay. Absent: they are downloaded from Leanplum, which keeps them for 24 hours.",
        ),
    }),
    ['url'],
  )
    .optional()
    .describe("Leanplum's API, by which an export can be asked for."),
}).check(maskCheck(leanplum));
