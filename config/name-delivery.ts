import { deliveryId, type Delivery } from '../model/delivery.js';
import { nameBatch as nameOfBatch } from '../vendors/dynatrace/layout.js';
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

/** The delivery of what was gathered from the inbox: its first body, and the UTC day on which that came. */
export function nameBatch(source: SourceConfig, date: string, firstBody: string): Delivery {
  const id = deliveryId(source.name, nameOfBatch(date, firstBody));
  return { id, source: source.name, type: source.types[0] ?? '', date };
}
