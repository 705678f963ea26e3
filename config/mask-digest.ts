import { createHash, createHmac } from 'node:crypto';

import { isMasking, writeTarget, type MaskRule } from './mask-rules.js';
import type { Secret } from './secret.js';

/**
 * Tells whether rows were masked by other rules, or hashed with another key. Of the key it holds an HMAC that is made with
 * it, which helps nobody to guess it. Rules that only keep are none.
 */
export function maskDigest(source: {
  readonly mask: readonly MaskRule[];
  readonly maskKey?: Secret | undefined;
}): string {
  const rules = isMasking(source.mask)
    ? source.mask.map((rule) => [writeTarget(rule), rule.treatment] as const).sort()
    : [];
  const isHashing = rules.some(([, treatment]) => treatment === 'hash');
  const key = isHashing && source.maskKey ? source.maskKey.reveal() : undefined;
  const ofKey = key === undefined ? null : createHmac('sha256', key).update('landfall maskKey').digest('hex');
  return createHash('sha256')
    .update(JSON.stringify([rules, ofKey]))
    .digest('hex');
}
