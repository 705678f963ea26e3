import { deliveryStart, type DeliveryStart } from '../config/delivery-start.js';
import { addDays, dayOf } from '../model/day.js';
import type { OpenSource, Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { unsettledDays } from '../warehouse/unsettled-days.js';

export interface DiscoverStep {
  readonly source: string;
  /** Epoch ms, the workflow's clock. */
  readonly now: number;
}

/** At most this many are started at a time, oldest first; the schedule's next run finds the others. */
const mostStarts = 200;

export function createDiscover({ pool, source }: Dependencies) {
  /**
   * The days that the store shows, and yesterday, whose absence has to be seen, as far as the ledger does not know them;
   * and those that it knows as not settled, should their workflow have ended by accident. A source without `since` takes
   * up only new days that may still be waited for: older ones are for backfill.
   */
  return async function discover(step: DiscoverStep): Promise<{ starts: DeliveryStart[] }> {
    const opened = source(step.source);
    const { config } = opened;
    const first = config.since ?? addDays(dayOf(step.now - config.giveUpAfter), -1);
    const last = dayOf(step.now);
    const found = { days: 0 };
    return withHeartbeat(
      () => found,
      async (signal) => {
        const starts: DeliveryStart[] = [];
        for (const type of config.types) {
          const days = new Set(await listDays(opened, type, signal));
          found.days += days.size;
          const yesterday = addDays(last, -1);
          if (config.since === undefined || config.since <= yesterday) days.add(yesterday);
          const wanted = [...days].filter((day) => day >= first && day <= last);
          for (const date of await unsettledDays(pool, step.source, type, wanted)) {
            starts.push(deliveryStart(config, type, date, step.now));
          }
        }
        starts.sort((a, b) => a.input.date.localeCompare(b.input.date));
        return { starts: starts.slice(0, mostStarts) };
      },
    );
  };
}

async function listDays({ vendor, store }: OpenSource, type: string, signal: AbortSignal): Promise<string[]> {
  const days: string[] = [];
  for await (const page of store.list(vendor.typePrefix(type), { depth: 'level', signal })) {
    for (const folder of page.folders) {
      const day = vendor.parseDayFolder(folder);
      if (day !== undefined) days.push(day);
    }
  }
  return days;
}
