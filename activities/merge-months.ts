import { mergeMonths, type MergedMonths } from '../warehouse/merge-months.js';
import { dayTable } from './day-table.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export interface MergeStep {
  readonly source: string;
  readonly type: string;
}

/** A step copies so many months at most, so that the next one is not kept waiting for long. */
const mostMonths = 3;

export function createMergeMonths({ pool, source }: Dependencies) {
  /** Puts old days of a type's table together. While others hold the table it leaves them to the schedule's next run. */
  return async function merge(step: MergeStep): Promise<MergedMonths> {
    const { config, vendor } = source(step.source);
    const of = dayTable(config, vendor, step.type);
    if (!of) return { months: [] };
    let progress = {};
    return withHeartbeat(
      () => progress,
      (signal) =>
        mergeMonths(pool, of, {
          ...{ months: mostMonths, patience: 0, signal },
          onMonth: (month, days) => (progress = { month, days }),
        }),
    );
  };
}
