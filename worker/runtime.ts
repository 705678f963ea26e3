import { DefaultLogger, Runtime, type LogLevel, type MetricsExporterConfig } from '@temporalio/worker';
import type pino from 'pino';

import type { Config } from '../config/schema.js';

const levels: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/**
 * Sets where the SDK logs and sends its metrics, and whether SIGINT and SIGTERM stop its workers. Must come before any
 * other use of the SDK's worker; once a process.
 */
export function installRuntime(
  log: pino.Logger,
  metrics: Config['metrics'],
  signals: 'stop workers' | 'leave',
): void {
  Runtime.install({
    ...(signals === 'leave' ? { shutdownSignals: [] } : {}),
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      // The SDK's own lines are plentiful; workflows' and activities' words are what people look for.
      log[levels[level]]({ ...meta }, message);
    }),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} },
      ...(metrics === undefined ? {} : { metrics: exporter(metrics) }),
    },
  });
}

function exporter(metrics: NonNullable<Config['metrics']>): MetricsExporterConfig {
  if ('prometheus' in metrics) {
    return { prometheus: { bindAddress: metrics.prometheus, countersTotalSuffix: true, unitSuffix: true } };
  }
  const headers = Object.entries(metrics.otel.headers ?? {}).map(([name, value]) => [name, value.reveal()]);
  return {
    otel: {
      url: metrics.otel.url,
      http: true,
      ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) as Record<string, string> }),
    },
  };
}
