import { dynatrace } from './dynatrace/vendor.js';
import { leanplum } from './leanplum/vendor.js';
import { megaphone } from './megaphone/vendor.js';
import { monetate } from './monetate/vendor.js';
import { optimizely } from './optimizely/vendor.js';
import type { Vendor } from './vendor.js';

/** Every vendor that Landfall knows, by the name that a configuration gives it. */
export const vendors = { optimizely, megaphone, leanplum, monetate, dynatrace } as const satisfies Readonly<
  Record<string, Vendor>
>;

export type VendorName = keyof typeof vendors;
