import { pino } from 'pino';

import { errorWriters } from './error-writers.js';

/** One JSON object a line: to standard error, or to a file. LANDFALL_LOG_LEVEL says how much (default `info`). */
export function openLog(file?: string): pino.Logger {
  const level = process.env['LANDFALL_LOG_LEVEL'] ?? 'info';
  return pino(
    { level, serializers: errorWriters },
    file === undefined ? pino.destination(2) : pino.destination({ dest: file, mkdir: true }),
  );
}
