import type { ListedDelivery } from './queries/list-deliveries.js';

/**
 * Deliveries for people to look at: those of the given sources, of which there may be thousands a day, are one line a day
 * and finality, in the place of the first. One that people should know something of stays by itself.
 */
export function foldBatches(
  deliveries: readonly ListedDelivery[],
  sources: ReadonlySet<string>,
): readonly ListedDelivery[] {
  const groups = new Map<string, [ListedDelivery, ...ListedDelivery[]]>();
  for (const delivery of deliveries) {
    const { source, date, finality, paused, notice } = delivery;
    const folds = sources.has(source) && notice === null;
    const name = folds ? JSON.stringify([source, date, finality, paused]) : delivery.delivery;
    const group = groups.get(name);
    if (group) group.push(delivery);
    else groups.set(name, [delivery]);
  }
  return [...groups.values()].map((group) => (group.length === 1 ? group[0] : foldOne(group)));
}

function foldOne(group: readonly [ListedDelivery, ...ListedDelivery[]]): ListedDelivery {
  const newest = group.reduce((one, other) => (other.since > one.since ? other : one));
  const sum = (of: (row: ListedDelivery) => number | null): number | null => {
    const known = group.map(of).filter((count) => count !== null);
    return known.length === 0 ? null : known.reduce((total, count) => total + count, 0);
  };
  return {
    ...newest,
    delivery: `${newest.source}/${newest.date}/… (${group.length.toLocaleString('en-US')})`,
    rows: sum(({ rows }) => rows),
    quarantined: sum(({ quarantined }) => quarantined),
    duplicates: sum(({ duplicates }) => duplicates),
    reason: `The newest is ${newest.delivery}. ${newest.reason ?? ''}`.trim(),
  };
}
