import { deliveryId, type Delivery } from '../model/delivery.js';
import { vendors } from '../vendors/registry.js';
import type { Vendor } from '../vendors/vendor.js';
import type { SourceConfig } from './schema.js';

/** The delivery of a type and day. Throws RangeError for a vendor whose deliveries are no days. */
export function nameDay(source: SourceConfig, type: string, date: string): Delivery {
  const { deliveries }: Vendor = vendors[source.vendor];
  if (deliveries.are !== 'days')
    throw new RangeError(`${source.vendor} delivers ${deliveries.are}, not days`);
  return { id: deliveryId(source.name, deliveries.name(type, date)), source: source.name, type, date };
}

/** The delivery of a job, by what its vendor calls it. */
export function nameJob(source: SourceConfig, type: string, date: string, name: string): Delivery {
  return { id: deliveryId(source.name, name), source: source.name, type, date };
}
