import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Context } from 'mocha';

import { dayPrefix } from '../../../vendors/optimizely/layout.js';
import type { OptimizelyType } from '../../../vendors/optimizely/tables.js';

export const sampleDate = '2020-05-25';

const samples =
  process.env['LANDFALL_SAMPLES'] ?? fileURLToPath(new URL('../../../../shared/samples', import.meta.url));
const root = join(samples, 'optimizely/v1/account_id=596780373');

/** Glob of a type's parts in the export that Optimizely published. */
export function realParts(type: OptimizelyType): string {
  return join(root, dayPrefix(type, sampleDate), '*.parquet');
}

/** Skips a suite, saying why, where the published sample is not at hand. */
export function needsRealSample(context: Context): void {
  if (existsSync(root)) return;
  console.log(
    "    skipped: Optimizely's published sample is not here; LANDFALL_SAMPLES names the folder that holds it",
  );
  context.skip();
}
