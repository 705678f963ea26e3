/** What a source's schedule runs: finds deliveries that nobody has started yet. */

import { startDelivery } from './start.js';
import { long, tending } from './steps.js';

export interface DiscoverResult {
  /** Ids of the deliveries that were started or found running. */
  readonly started: readonly string[];
}

/**
 * Starts the deliveries of a source that its store or the calendar shows and the ledger does not know, or knows as
 * unfinished; one that runs already is left running. Then old days whose tables have many partitions are put together.
 * Nothing else is needed to stay current.
 */
export async function discover({ source }: { source: string }): Promise<DiscoverResult> {
  const { listing } = long(60_000);
  const { starts, crowded = [] } = await listing.discover.executeWithOptions(
    { summary: `what is new in ${source}` },
    [{ source, now: Date.now() }],
  );
  for (const start of starts) await startDelivery(start);
  for (const type of crowded) {
    const summary = `put old days of ${type} together`;
    await tending.mergeDays.executeWithOptions({ summary }, [{ source, type }]);
  }
  return { started: starts.map((start) => start.workflowId) };
}
