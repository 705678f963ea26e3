import { didYouMean } from '../model/suggest.js';
import { findSource } from '../config/find-source.js';
import type { SourceConfig } from '../config/schema.js';
import { vendors } from '../vendors/registry.js';
import type { Vendor } from '../vendors/vendor.js';
import { isDay } from '../model/day.js';
import type { Delivery } from '../model/delivery.js';
import { UsageError } from './usage-error.js';

/** A delivery that somebody named, with the source that it is of. */
export interface NamedDelivery {
  readonly source: SourceConfig;
  /** Undefined: the name alone does not tell, and the ledger does not know it. */
  readonly delivery: Delivery | undefined;
}

/**
 * Takes a delivery's id apart: the source, and what its vendor calls the delivery. Of one whose name tells no day the
 * ledger, by `known`, says the rest. Throws an error that says which part is wrong and what it may be.
 */
export function parseDeliveryId(
  sources: readonly SourceConfig[],
  id: string,
  known: Delivery | undefined,
): NamedDelivery {
  const slash = id.indexOf('/');
  if (slash < 0) {
    throw new UsageError(
      `'${id}' is not the id of a delivery: that is <source>/<what the vendor calls it>, such as ` +
        `experiments/events/2026-11-20.`,
    );
  }
  const source = findSource(sources, id.slice(0, slash));
  const vendor: Vendor = vendors[source.vendor];
  const name = id.slice(slash + 1);
  const wrong = new UsageError(
    `'${id}' is not the id of a delivery of ${source.name}: that is such as ${source.name}/${vendor.exampleName}.`,
  );
  if (vendor.deliveries.are === 'jobs') {
    if (!vendor.deliveries.isName(name)) throw wrong;
    return { source, delivery: known };
  }
  if (vendor.deliveries.are === 'batches') {
    const date = vendor.deliveries.dayOf(name);
    if (date === undefined) throw wrong;
    return { source, delivery: { id, source: source.name, type: vendor.types[0] ?? '', date } };
  }
  const named = vendor.deliveries.parseName(name);
  if (!named) throw wrong;
  const { type, date } = named;
  requireType(source, type);
  requireDay(date);
  return { source, delivery: { id, source: source.name, type, date } };
}

export function requireType(source: SourceConfig, type: string): void {
  const types: readonly string[] = source.types;
  if (types.includes(type)) return;
  throw new UsageError(
    `Source '${source.name}' does not load '${type}'${didYouMean(type, types) || '.'} Its types are ${types.join(', ')}.`,
  );
}

export function requireDay(date: string): void {
  if (!isDay(date)) throw new UsageError(`'${date}' is not a day (YYYY-MM-DD).`);
}
