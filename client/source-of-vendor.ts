import { findSource } from '../config/find-source.js';
import type { SourceConfig } from '../config/schema.js';
import { UsageError } from './usage-error.js';

/** The source of that name; without a name the one that there is of a vendor. `title` is what people call the vendor. */
export function sourceOfVendor(
  sources: readonly SourceConfig[],
  vendor: SourceConfig['vendor'],
  title: string,
  name: string | undefined,
): SourceConfig {
  if (name !== undefined) return findSource(sources, name);
  const found = sources.filter((source) => source.vendor === vendor);
  const [only, ...more] = found;
  if (!only) throw new UsageError(`The configuration has no ${title} source.`);
  if (more.length === 0) return only;
  const names = found.map((source) => source.name).join(', ');
  throw new UsageError(`The configuration has several ${title} sources; say which: ${names}.`);
}
