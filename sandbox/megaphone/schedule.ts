/**
 * When the vendor writes which file: "Once per hour … for the current day. From 0:00Z to 04:30Z, both the previous day's
 * and current day's files will be written once per hour. By 04:30Z each day, the previous day's file is final."
 */

import { startOfDay } from '../../model/day.js';
import { impressionsKey, metricsKey } from './day.js';
import type { Flaws } from './flaws.js';
import { finalVersion, lateVersion, type MetricsDay } from './versions.js';

export interface VendorDay extends MetricsDay {
  /** Writes the impressions' file beside the metrics'. Default false. */
  readonly impressions?: boolean;
  /** Writes once more at 05:16Z, against the vendor's word. Default false. */
  readonly late?: boolean;
  readonly flawsOf?: (version: number) => Flaws;
}

export type FileType = 'metrics' | 'impressions';

export interface PlannedWrite {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly key: string;
  readonly type: FileType;
  readonly version: number;
  readonly day: VendorDay;
}

const hour = 3_600_000;

/** A real file was last modified at 05:16:17Z. Were that its hourly minute, 04:16Z would be the last one in time. */
const minutePastTheHour = 16;

export function plannedAt(date: string, version: number): number {
  return startOfDay(date) + version * hour + minutePastTheHour * 60_000;
}

/** Every write of these days in the order of time; at the same instant the earlier day comes first. */
export function planWrites(days: readonly VendorDay[]): PlannedWrite[] {
  return days
    .flatMap((day) => {
      const last = day.late === true ? lateVersion : finalVersion;
      return Array.from({ length: last }, (_, index) => index + 1).flatMap((version) =>
        filesOf(day).map((file) => ({ ...file, at: plannedAt(day.date, version), version, day })),
      );
    })
    .sort((a, b) => a.at - b.at || a.day.date.localeCompare(b.day.date));
}

export function filesOf({ date, impressions = false }: VendorDay): { key: string; type: FileType }[] {
  return [
    { key: metricsKey(date), type: 'metrics' },
    ...(impressions ? [{ key: impressionsKey(date), type: 'impressions' } as const] : []),
  ];
}
