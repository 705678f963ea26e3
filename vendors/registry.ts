import { optimizely } from './optimizely/vendor.js';
import type { Vendor } from './vendor.js';

/** Every vendor that Landfall knows, by the name that a configuration gives it. */
export const vendors = { optimizely } as const satisfies Readonly<Record<string, Vendor>>;

export type VendorName = keyof typeof vendors;
