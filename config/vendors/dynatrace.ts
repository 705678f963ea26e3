/** Settings of a Dynatrace source: user sessions, which Dynatrace sends to `landfall receiver`. */

import { z } from 'zod';

import { dynatrace } from '../../vendors/dynatrace/vendor.js';
import { maskCheck } from '../mask-columns.js';
import { byteCount, duration, matching, secretText, text } from '../scalars.js';
import { settings } from '../settings.js';
import { durationOrNone, sourceShape } from '../source-shape.js';

const shape = sourceShape({ pollEvery: '1 minute', giveUpAfter: '1 minute', quarantineLimit: '100%' });

/** What the receiver serves under names of its own. */
const reservedPaths = /^\/(?:dynatrace|health|ready|metrics)(?:\/|$)|\/_bulk(?:\/|$)/;

const auth = settings({
  basic: settings({
    username: text().describe("'User name' in Dynatrace's form."),
    password: secretText().describe("'Password' in Dynatrace's form."),
  })
    .optional()
    .describe('Basic authentication.'),
  bearer: matchingToken().optional().describe("Token of 'Authorization: Bearer …'."),
}).refine(({ basic, bearer }) => basic !== undefined || bearer !== undefined, {
  error: 'must have basic, bearer or both: without them anybody could send',
});

export const dynatraceSettings = settings({
  vendor: z.literal('dynatrace').describe('Whose export it is.'),
  schema: shape.schema,
  auth: auth.describe('What Dynatrace has to log in with.'),
  path: matching(
    /^(?:\/[A-Za-z0-9._~-]+)+$/,
    "must be a path such as '/export/events': '/', then letters, digits, '.', '_', '~' and '-', without a slash at its end",
  )
    .refine((path) => !reservedPaths.test(path), {
      error:
        "must not begin with /dynatrace, /health, /ready or /metrics, nor have a part '_bulk': these are served already",
    })
    .optional()
    .describe(
      "Path at which the receiver takes what is sent for this source, besides '/dynatrace/<source>'; '<path>/_bulk' takes " +
        "Elasticsearch's form.",
    ),
  gatherBytes: byteCount(1, 2 ** 30)
    .prefault('32 MB')
    .describe('Bodies are loaded together once they are so large, as they came and without compression …'),
  gatherWithin: duration().prefault('10 seconds').describe('… or once the first of them is so old.'),
  keepInbox: durationOrNone()
    .prefault('7 days')
    .describe('How long bodies are kept after their rows are published, to be loaded again. 0: not at all.'),
  quarantineLimit: shape.quarantineLimit.describe(
    'Share of bad rows above which nothing of a delivery is published. Default: 100%, since nothing comes again.',
  ),
  shrinkLimit: shape.shrinkLimit,
  discoverEvery: shape.discoverEvery.describe(
    'How often bodies are looked for that nobody told of, and old ones deleted. Default: 1 minute.',
  ),
  refusalGrace: shape.refusalGrace,
  filesInFlight: shape.filesInFlight,
  heartbeatTimeout: shape.heartbeatTimeout,
  mask: shape.mask,
  maskKey: shape.maskKey,
}).check(maskCheck(dynatrace));

/** RFC 6750's token. Held so that it cannot be printed. */
function matchingToken() {
  return secretText().refine((token) => /^[\w.~+/-]+=*$/.test(token.reveal()), {
    error:
      "must be a token: letters, digits, '-', '.', '_', '~', '+' and '/', such as the output of 'openssl rand -hex 32'",
  });
}
