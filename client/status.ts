import { findSource } from '../config/find-source.js';
import { hasStore } from '../config/schema.js';
import { finalities } from '../model/delivery.js';
import { foldBatches } from './fold-batches.js';
import { writeInstant } from './instant.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import { listDeliveries, type DeliveryFilter, type ListedDelivery } from './queries/list-deliveries.js';
import type { ExitCode } from './session.js';
import { writeTable } from './table.js';
import { UsageError } from './usage-error.js';
import { withLedger } from './with-ledger.js';

/** Prints deliveries from the ledger, which knows more and forgets less than Temporal's visibility. */
export async function status(
  place: Place,
  filter: DeliveryFilter,
  output: Output,
  width?: number,
): Promise<ExitCode> {
  if (filter.from !== undefined && filter.to !== undefined && filter.from > filter.to) {
    throw new UsageError(`--from ${filter.from} lies after --to ${filter.to}.`);
  }
  const { source } = filter;
  const deliveries = await withLedger(place, async (pool) => {
    const found = await listDeliveries(pool, filter);
    // A source that left the configuration still has its deliveries; one that neither knows is a slip of the pen.
    if (found.length === 0 && source !== undefined) findSource(place.config.sources, source);
    return found;
  });
  output.result(deliveries, () => writeStatus(deliveries, width, source === undefined ? sent(place) : none));
  return 0;
}

const none: ReadonlySet<string> = new Set();

/** Sources that vendors send to: a delivery of theirs is a matter of seconds. */
function sent(place: Place): ReadonlySet<string> {
  return new Set(place.config.sources.filter((config) => !hasStore(config)).map(({ name }) => name));
}

/** Deliveries of the sources in `folded` are summed up by day and finality. */
export function writeStatus(
  deliveries: readonly ListedDelivery[],
  width: number | undefined,
  folded: ReadonlySet<string> = none,
): string {
  if (deliveries.length === 0) return 'The ledger has no such deliveries yet.';
  const table = writeTable(
    foldBatches(deliveries, folded),
    [
      { title: 'DELIVERY', cell: (row) => row.delivery },
      { title: 'FINALITY', cell: (row) => (row.paused ? `${row.finality} (paused)` : row.finality) },
      { title: 'SINCE', cell: (row) => writeInstant(row.since) },
      { title: 'ROWS', cell: (row) => row.rows ?? undefined },
      { title: 'QUARANTINED', cell: (row) => row.quarantined ?? undefined },
      { title: 'DUPLICATES', cell: (row) => row.duplicates ?? undefined },
      { title: 'REASON', cell: writeReason },
    ],
    width,
  );
  return `${table}\n\n${summarize(deliveries)}`;
}

/** A notice comes first: it is why somebody may have to look. */
function writeReason({ notice, reason }: ListedDelivery): string | undefined {
  return [notice, reason].filter((part) => part !== null).join(' ') || undefined;
}

/** `31 deliveries: 29 final, 1 waiting, 1 failed` */
function summarize(deliveries: readonly ListedDelivery[]): string {
  const counts = finalities
    .map((finality) => ({ finality, count: deliveries.filter((row) => row.finality === finality).length }))
    .filter(({ count }) => count > 0)
    .map(({ finality, count }) => `${count} ${finality}`);
  const noun = deliveries.length === 1 ? 'delivery' : 'deliveries';
  return `${deliveries.length} ${noun}: ${counts.join(', ')}`;
}
