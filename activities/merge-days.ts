import { mergeDays, type MergedDays } from '../warehouse/merge-days.js';
import { dayTable } from './day-table.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export interface MergeStep {
  readonly source: string;
  readonly type: string;
}

/** A step copies so many months or years at most, so that the next one is not kept waiting for long. */
const mostPeriods = 3;

export function createMergeDays({ pool, source }: Dependencies) {
  /** Puts old days of a type's table together. While others hold the table it leaves them to the schedule's next run. */
  return async function merge(step: MergeStep): Promise<MergedDays> {
    const { config, vendor } = source(step.source);
    const of = dayTable(config, vendor, step.type);
    if (!of) return { periods: [] };
    let progress = {};
    return withHeartbeat(
      () => progress,
      (signal) =>
        mergeDays(pool, of, {
          ...{ periods: mostPeriods, patience: 0, signal },
          onPeriod: (period, partitions) => (progress = { period, partitions }),
        }),
    );
  };
}
