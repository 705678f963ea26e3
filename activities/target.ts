import type { SourceConfig } from '../config/schema.js';
import type { Delivery } from '../model/delivery.js';
import type { Vendor } from '../vendors/vendor.js';
import type { Target } from '../warehouse/target.js';

/** Where the rows of a delivery go. */
export function targetOf({ schema }: SourceConfig, vendor: Vendor, { type, date }: Delivery): Target {
  return { schema, date, ...vendor.landing(type) };
}
