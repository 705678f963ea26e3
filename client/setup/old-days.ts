/** What setup does for tables that were loaded by versions that kept a partition for every day. */

import { dayTable } from '../../activities/day-table.js';
import { vendors } from '../../vendors/registry.js';
import { crowdedPeriods, mergeDays } from '../../warehouse/merge-days.js';
import type { Output } from '../output.js';
import type { Place } from '../place.js';
import type { SetupStep } from '../setup.js';
import { withLedger } from '../with-ledger.js';

/** Milliseconds for which setup waits for a table that others hold, for each month or year. */
const patience = 300_000;

/**
 * Puts old days together, table by table. Readers go on meanwhile. Interrupted, it goes on the next time; so do
 * the sources' schedules.
 */
export async function mergeOldDays(place: Place, output: Output): Promise<SetupStep[]> {
  return withLedger(place, async (pool) => {
    const steps: SetupStep[] = [];
    for (const config of place.config.sources) {
      for (const type of config.types) {
        const of = dayTable(config, vendors[config.vendor], type);
        if (!of || (await crowdedPeriods(pool, of)).length === 0) continue;
        const what = `table ${of.schema}.${of.table}`;
        const { periods, waitsFor } = await mergeDays(pool, of, {
          ...{ periods: Infinity, patience },
          onPeriod: (period, partitions, left) =>
            output.note(`${what}: makes ${partitions} partitions of ${period} one (${left} left to do)`),
        });
        const done = `put old days together: ${periods.length} months or years`;
        steps.push({
          ...{ part: 'postgres', what },
          done: waitsFor === undefined ? done : `${done}; the schedule goes on with the others. ${waitsFor}`,
        });
      }
    }
    return steps;
  });
}
