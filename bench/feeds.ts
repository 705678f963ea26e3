/** What is loaded: a day of each vendor, and where its rows come to lie. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { SourceConfig } from '../config/schema.js';
import { metricsKey, writeMetricsDay } from '../sandbox/megaphone/day.js';
import { writeDay } from '../sandbox/optimizely/day.js';

export interface DayShape {
  readonly directory: string;
  readonly date: string;
  readonly rows: number;
  readonly parts: number;
  /** Rows of a row group, where the format has such. */
  readonly rowGroup?: number;
}

export interface Feed {
  readonly vendor: SourceConfig['vendor'];
  readonly type: string;
  readonly table: string;
  readonly key: string;
  /** Writes a day as the vendor would, complete; returns the bytes of its files. */
  readonly write: (day: DayShape) => Promise<number>;
}

export const optimizelyEvents: Feed = {
  vendor: 'optimizely',
  type: 'events',
  table: 'conversion',
  key: 'uuid',
  write: async (day) => (await writeDay({ type: 'events', folders: false, hidden: false, ...day })).bytes,
};

export const megaphoneMetrics: Feed = {
  vendor: 'megaphone',
  type: 'metrics',
  table: 'metric',
  key: 'id',
  write: async ({ directory, date, rows }) => {
    const { bytes } = await writeMetricsDay({ path: join(directory, metricsKey(date)), date, rows });
    // With the vendor's marker a day is final at once, and no time is spent on watching it stand still.
    await writeFile(join(directory, `_finalized_metrics_${date}_20260101T000000Z`), '');
    return bytes;
  },
};
