import { pino } from 'pino';

import { errorWriters } from './error-writers.js';

/** One JSON object a line: to standard error, or to a file. LANDFALL_LOG_LEVEL says how much (default `info`). */
export function openLog(file?: string): pino.Logger {
  const level = process.env['LANDFALL_LOG_LEVEL'] ?? 'info';
  const destination = pino.destination(file === undefined ? 2 : { dest: file, mkdir: true });
  // A full disk, or a reader of the log that has gone, stops nothing but the log.
  destination.on('error', () => undefined);
  return pino({ level, serializers: errorWriters }, destination);
}
