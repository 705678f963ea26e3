import { deliveryStart, type DeliveryStart } from '../config/delivery-start.js';
import type { SourceConfig } from '../config/schema.js';
import { addDays, dayOf } from '../model/day.js';
import { finalVersions } from '../warehouse/final-versions.js';
import { unsettledDays } from '../warehouse/unsettled-days.js';
import type { OpenSource, Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export interface DiscoverStep {
  readonly source: string;
  /** Epoch ms, the workflow's clock. */
  readonly now: number;
}

/** At most this many are started at a time, oldest first; the schedule's next run finds the others. */
const mostStarts = 200;

export function createDiscover({ pool, source }: Dependencies) {
  /**
   * The days that the store shows, and the newest that there has to be, whose absence has to be seen, as far as the
   * ledger does not know them; those that it knows as not settled, should their workflow have ended by accident; and
   * final ones whose file has changed since. A source without `since` takes up only new days that may still be waited
   * for: older ones are for backfill.
   */
  return async function discover(step: DiscoverStep): Promise<{ starts: DeliveryStart[] }> {
    const opened = source(step.source);
    const { config, vendor } = opened;
    const first = config.since ?? addDays(dayOf(step.now - config.giveUpAfter), -1);
    const last = dayOf(step.now);
    const expected = vendor.beginsWithDay ? [addDays(last, -1), last] : [addDays(last, -1)];
    const found = { days: 0 };
    return withHeartbeat(
      () => found,
      async (signal) => {
        const starts: DeliveryStart[] = [];
        for (const type of config.types) {
          const listed = await listDays(opened, type, signal);
          found.days += listed.size;
          const wanted = [...listed.keys(), ...expected].filter((day) => day >= first && day <= last);
          const days = new Set([
            ...(await unsettledDays(pool, step.source, type, wanted)),
            ...(await changedDays(step, opened, type, listed)),
          ]);
          for (const date of days) starts.push(deliveryStart(config, type, date, step.now));
        }
        starts.sort((a, b) => a.input.date.localeCompare(b.input.date));
        return { starts: starts.slice(0, mostStarts) };
      },
    );

    /** Days that became final within `auditFor`, and whose file is now another one than was loaded. */
    async function changedDays(
      { now }: DiscoverStep,
      { config }: OpenSource,
      type: string,
      listed: ReadonlyMap<string, string | undefined>,
    ): Promise<string[]> {
      const auditFor = auditOf(config);
      if (auditFor === 0) return [];
      const known = await finalVersions(pool, config.name, type, now - auditFor);
      return known.flatMap(({ date, version }) => {
        const there = listed.get(date);
        return there === undefined || there === version ? [] : [date];
      });
    }
  };
}

/** Only vendors that rewrite their files are held to it. */
function auditOf(config: SourceConfig): number {
  return 'auditFor' in config ? config.auditFor : 0;
}

/** Days that the store shows, with their file's version where a day is one file. */
async function listDays(
  { vendor, store }: OpenSource,
  type: string,
  signal: AbortSignal,
): Promise<Map<string, string | undefined>> {
  const days = new Map<string, string | undefined>();
  for await (const page of store.list(vendor.daysPrefix(type), { depth: 'level', signal })) {
    for (const folder of page.folders) {
      const day = vendor.parseDay(type, folder);
      if (day !== undefined) days.set(day, undefined);
    }
    for (const file of page.files) {
      const day = vendor.parseDay(type, file.key);
      if (day !== undefined) days.set(day, file.version);
    }
  }
  return days;
}
