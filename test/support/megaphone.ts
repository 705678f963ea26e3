import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  metricsKey,
  writeMetricsDay,
  type MetricsToWrite,
  type WrittenMetrics,
} from '../../sandbox/megaphone/day.js';
import {
  inTemporaryFolder,
  prefix,
  testSource,
  type TestSource,
  type TestSourceOptions,
} from './landfall.js';

/** A source of Megaphone days that settle a second after the vendor's hour. */
export function megaphoneSource(
  settings: Record<string, unknown> = {},
  options: TestSourceOptions = {},
): Promise<TestSource> {
  return testSource({
    ...options,
    settings: { vendor: 'megaphone', pollEvery: '1 second', settleFor: '1 second', ...settings },
  });
}

/** The vendor writes a version of a day's file over what lies there. */
export async function rewrite(
  source: Pick<TestSource, 'bucket'>,
  day: Omit<MetricsToWrite, 'path'>,
): Promise<WrittenMetrics> {
  return inTemporaryFolder(async (folder) => {
    const path = join(folder, 'day');
    const written = await writeMetricsDay({ path, ...day });
    await source.bucket.put(prefix + metricsKey(day.date), await readFile(path));
    return written;
  });
}
