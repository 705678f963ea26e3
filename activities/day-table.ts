import type pg from 'pg';

import type { SourceConfig } from '../config/schema.js';
import type { Vendor } from '../vendors/vendor.js';
import type { DayOwner } from '../warehouse/exchange-period.js';
import { crowdedPeriods } from '../warehouse/merge-days.js';
import type { DayTable } from '../warehouse/period-table.js';

/** Where a type's days are partitions of a table; undefined where its rows are merged. */
export function dayTable(
  { name: source, schema }: Pick<SourceConfig, 'name' | 'schema'>,
  vendor: Vendor,
  type: string,
): (DayTable & DayOwner) | undefined {
  const { how, tables } = vendor.landing(type);
  const [{ name: table, key }] = tables;
  return how === 'replace' ? { source, type, schema, table, key } : undefined;
}

/** Types whose tables have old days that are to be put together. */
export async function crowdedTypes(pool: pg.Pool, config: SourceConfig, vendor: Vendor): Promise<string[]> {
  const crowded: string[] = [];
  for (const type of config.types) {
    const of = dayTable(config, vendor, type);
    if (of && (await crowdedPeriods(pool, of)).length > 0) crowded.push(type);
  }
  return crowded;
}
