import { findSource } from '../config/find-source.js';
import { hasStore } from '../config/schema.js';
import { finalities } from '../model/delivery.js';
import { writeInstant } from './instant.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import {
  listDeliveries,
  sumUpDeliveries,
  type DeliveryFilter,
  type DeliveryLine,
  type ListedDelivery,
} from './queries/list-deliveries.js';
import { listTroubles } from './queries/list-troubles.js';
import type { ExitCode } from './session.js';
import { writeTable } from './table.js';
import { UsageError } from './usage-error.js';
import { writeWish } from './wish.js';
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
  const summedUp = source === undefined ? sent(place) : [];
  const { deliveries, troubles } = await withLedger(place, async (pool) => {
    const found =
      output.format === 'json'
        ? await listDeliveries(pool, filter)
        : await sumUpDeliveries(pool, filter, summedUp);
    // A source that left the configuration still has its deliveries; one that neither knows is a slip of the pen.
    if (found.length === 0 && source !== undefined) findSource(place.config.sources, source);
    return { deliveries: found, troubles: await listTroubles(pool, { source, apart: true }) };
  });
  output.result(deliveries, () => writeStatus(deliveries, width));
  // What belongs to no delivery, such as looking for new ones.
  for (const { workflow, reason } of troubles) output.note(`${workflow}: ${reason}`);
  return 0;
}

/** Sources that vendors send to: a delivery of theirs is a matter of seconds. */
function sent(place: Place): readonly string[] {
  return place.config.sources.filter((config) => !hasStore(config)).map(({ name }) => name);
}

/** `deliveries`: how many it stands for, where it is not one. */
type Line = ListedDelivery & Partial<Pick<DeliveryLine, 'deliveries'>>;

export function writeStatus(lines: readonly Line[], width: number | undefined): string {
  if (lines.length === 0) return 'The ledger has no such deliveries yet.';
  const table = writeTable(
    lines,
    [
      { title: 'DELIVERY', cell: writeName },
      { title: 'FINALITY', cell: (row) => (row.paused ? `${row.finality} (paused)` : row.finality) },
      { title: 'SINCE', cell: (row) => writeInstant(row.since) },
      { title: 'ROWS', cell: (row) => row.rows ?? undefined },
      { title: 'QUARANTINED', cell: (row) => row.quarantined ?? undefined },
      { title: 'DUPLICATES', cell: (row) => row.duplicates ?? undefined },
      ...(lines.some(({ conflicting }) => conflicting)
        ? [{ title: 'CONFLICTING', cell: (row: Line) => row.conflicting ?? undefined }]
        : []),
      ...(lines.some(({ superseded }) => superseded)
        ? [{ title: 'SUPERSEDED', cell: (row: Line) => row.superseded ?? undefined }]
        : []),
      { title: 'REASON', cell: writeReason },
    ],
    width,
  );
  return `${table}\n\n${summarize(lines)}`;
}

function writeName({ delivery, source, date, deliveries = 1 }: Line): string {
  return deliveries === 1 ? delivery : `${source}/${date}/… (${deliveries.toLocaleString('en-US')})`;
}

/**
 * What somebody has to look at comes first: a version that is held, and notices that nobody has acknowledged; then what
 * was refused, what is asked for and what goes wrong.
 */
function writeReason(line: Line): string | undefined {
  const { delivery, held, notices, refusal, trouble, reason, deliveries = 1 } = line;
  const newest = deliveries === 1 ? null : `The newest is ${delivery}.`;
  const texts = notices.map(({ text }) => text);
  const wish = writeWish(line);
  const asked = wish === null ? null : `Asked for: ${wish}.`;
  const wrong = trouble === reason ? null : trouble;
  return (
    [newest, held, ...texts, refusal, asked, wrong, reason].filter((part) => part !== null).join(' ') ||
    undefined
  );
}

/** `31 deliveries: 29 final, 1 waiting, 1 failed` */
function summarize(lines: readonly Line[]): string {
  const sum = (rows: readonly Line[]): number =>
    rows.reduce((total, { deliveries = 1 }) => total + deliveries, 0);
  const counts = finalities
    .map((finality) => ({ finality, count: sum(lines.filter((row) => row.finality === finality)) }))
    .filter(({ count }) => count > 0)
    .map(({ finality, count }) => `${count} ${finality}`);
  const total = sum(lines);
  return `${total} ${total === 1 ? 'delivery' : 'deliveries'}: ${counts.join(', ')}`;
}
