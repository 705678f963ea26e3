/** Settings of a Monetate source: Session Stream, on the vendor's SFTP server, and the metadata API that names its ids. */

import { z } from 'zod';

import { streamFolder } from '../../vendors/monetate/layout.js';
import { monetate } from '../../vendors/monetate/vendor.js';
import { allowHttp, httpsOnly } from '../https-only.js';
import { maskCheck } from '../mask-columns.js';
import { mask } from '../mask.js';
import { privateKey } from '../private-key.js';
import { duration, httpUrl, matching } from '../scalars.js';
import { settings } from '../settings.js';
import { durationOrNone, sourceShape } from '../source-shape.js';
import { isMapping } from './s3-store.js';
import { sftpStore } from './sftp-store.js';

/** The vendor's server, which all its customers share. */
const monetateHost = 'sftp.monetate.net';

/** What may be personal by the vendor's word: hashed, unless the source says otherwise. */
const personal = { customer_id: 'hash', customer_link: 'hash', custom_targets: 'hash' } as const;

const metadata = httpsOnly(
  settings({
    account: matching(
      /^[A-Za-z0-9][\w-]*$/,
      "must be the short name of the account, as it stands in the API's addresses",
    ).describe("The account's short name in the API's addresses."),
    username: matching(
      /^api-\S+$/,
      "must be the name of an API key's user, which begins with 'api-'",
    ).describe("The user of the API key, 'api-…'."),
    privateKey: privateKey(/./, 'must be the private key itself, in PEM').describe(
      "Its RSA private key in PEM, whose public half was uploaded to Monetate. It signs what a token is asked for with. On one line, '\\n' stands for a line break.",
    ),
    refreshEvery: duration()
      .prefault('1 day')
      .describe(
        'How often all names are asked for; besides after a day in which ids appeared that have none.',
      ),
    url: httpUrl().prefault('https://api.monetate.net/api').describe("Address of Monetate's API."),
    allowHttp: allowHttp('url'),
  }),
  ['url'],
);

export const monetateSettings = settings({
  vendor: z.literal('monetate').describe('Whose export it is.'),
  ...sourceShape({ pollEvery: '15 minutes', giveUpAfter: '3 days', quarantineLimit: '1%' }),
  // For other vendors it ends the wait for a marker. Days come without one, and end by themselves.
  giveUpAfter: duration()
    .prefault('3 days')
    .describe(
      'How long after the end of its day what keeps a day from being final is waited for. Then it fails, visibly.',
    ),
  closesAfter: duration()
    .prefault('12 hours 30 minutes')
    .describe(
      'How long after the end of a UTC day sessions of it may come: 12 hours open, and 30 minutes without activity.',
    ),
  settleFor: duration()
    .prefault('1 hour')
    .describe('How long after that a day is final, when a look then brings nothing new.'),
  auditFor: durationOrNone()
    .prefault('7 days')
    .describe(
      'How long after a day became final its folder is still compared with what was loaded. 0: never.',
    ),
  store: sftpStore({ host: monetateHost })
    .refine((value) => value.root.endsWith(streamFolder), {
      error: `must be the folder of the account's files, such as '1234/${streamFolder}'`,
      path: ['root'],
      when: isMapping,
    })
    .describe('Where the files lie.'),
  metadata: metadata
    .optional()
    .describe(
      'The metadata API, which names variants, page events and custom targets. Absent: ids have no names.',
    ),
  mask: mask(personal),
}).check(maskCheck(monetate));
