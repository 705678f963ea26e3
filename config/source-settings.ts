import { z } from 'zod';

import { dynatraceSettings } from './vendors/dynatrace.js';
import { leanplumSettings } from './vendors/leanplum.js';
import { megaphoneSettings } from './vendors/megaphone.js';
import { monetateSettings } from './vendors/monetate.js';
import { optimizelySettings } from './vendors/optimizely.js';

/** The vendors that a source may be of: one line each. */
const vendors = [
  optimizelySettings,
  megaphoneSettings,
  leanplumSettings,
  monetateSettings,
  dynatraceSettings,
] as const;

export const vendorNames = vendors.map((vendor) => vendor.shape.vendor.value);

export const sourceSettings = z.discriminatedUnion('vendor', vendors, {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? `must be the name of a vendor: ${vendorNames.join(', ')}`
      : 'must be a mapping (key: value)',
});
