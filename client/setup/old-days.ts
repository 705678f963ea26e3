/** What setup does for tables that were loaded by versions that kept a partition for every day. */

import { dayTable } from '../../activities/day-table.js';
import { vendors } from '../../vendors/registry.js';
import { crowdedMonths, mergeMonths } from '../../warehouse/merge-months.js';
import type { Output } from '../output.js';
import type { Place } from '../place.js';
import type { SetupStep } from '../setup.js';
import { withLedger } from '../with-ledger.js';

/** Milliseconds for which setup waits for a table that others hold. */
const patience = 60_000;

/**
 * Puts the days of old months together, table by table. Readers go on meanwhile. Interrupted, it goes on the next time; so do
 * the sources' schedules.
 */
export async function mergeOldDays(place: Place, output: Output): Promise<SetupStep[]> {
  return withLedger(place, async (pool) => {
    const steps: SetupStep[] = [];
    for (const config of place.config.sources) {
      for (const type of config.types) {
        const of = dayTable(config, vendors[config.vendor], type);
        if (!of || (await crowdedMonths(pool, of)).length === 0) continue;
        const what = `table ${of.schema}.${of.table}`;
        const { months, waitsFor } = await mergeMonths(pool, of, {
          ...{ months: Infinity, patience },
          onMonth: (month, days, left) =>
            output.note(
              `${what}: puts ${days} days of ${month} together (${left} ${left === 1 ? 'month' : 'months'} left)`,
            ),
        });
        const done = `put old days together: ${months.length} ${months.length === 1 ? 'month' : 'months'}`;
        steps.push({
          ...{ part: 'postgres', what },
          done: waitsFor === undefined ? done : `${done}; the schedule goes on with the others. ${waitsFor}`,
        });
      }
    }
    return steps;
  });
}
