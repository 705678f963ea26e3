import { deliveryId, type Delivery } from '../model/delivery.js';
import { vendors } from '../vendors/registry.js';
import type { SourceConfig } from './schema.js';

/** The delivery of a type and day, by the name that its vendor gives it. */
export function nameDelivery(source: SourceConfig, type: string, date: string): Delivery {
  const name = vendors[source.vendor].deliveryName({ type, date });
  return { id: deliveryId(source.name, name), source: source.name, type, date };
}
