/** Writes one version of a day's file as Megaphone does: JSON lines, gzip. */

import { stat } from 'node:fs/promises';

import type { DuckDBConnection } from '@duckdb/node-api';

import { withDuckDB } from '../duckdb.js';
import { placeFlaws, type Flaws } from './flaws.js';
import {
  impressionColumns,
  impressionFields,
  impressionNumbers,
  impressionsOf,
  type ImpressionSchema,
} from './impressions.js';
import { jsonLine, metricColumns, metricFields } from './rows.js';
import { finalVersion, reportedIn, rowsIn, versionedMetrics, type MetricsDay } from './versions.js';
import { quote } from '../quote.js';

export interface MetricsToWrite extends MetricsDay {
  /** What lies there is overwritten. */
  readonly path: string;
  /** Default 28, the day as it stays. */
  readonly version?: number;
  readonly flaws?: Flaws;
}

/** What a load has to find: rows = what is loaded + quarantined + duplicates. Blank lines are no rows. */
export interface WrittenMetrics {
  readonly date: string;
  readonly version: number;
  readonly rows: number;
  /** Of what is loaded, how many the vendor's reports count. */
  readonly reported: number;
  readonly quarantined: number;
  readonly duplicates: number;
  readonly blankLines: number;
  /** Of the file. */
  readonly bytes: number;
}

export interface ImpressionsToWrite extends MetricsDay {
  readonly path: string;
  /** Default 28. */
  readonly version?: number;
  /** Default v1. */
  readonly schema?: ImpressionSchema;
}

export interface WrittenImpressions {
  readonly date: string;
  readonly version: number;
  readonly rows: number;
  readonly bytes: number;
}

export function metricsKey(date: string): string {
  return `metrics-day-${date}.json.gz`;
}

export function impressionsKey(date: string, schema: ImpressionSchema = 'v1'): string {
  return schema === 'v1' ? `impression-day-${date}.json.gz` : `impressions-v2-day-${date}.json.gz`;
}

/** Writes the file. 500,000 metrics, 49.5 MB, take 8 s, most of it for gzip, and 140 MB; 2,000,000 take 32 s and 144 MB. */
export async function writeMetricsDay(day: MetricsToWrite): Promise<WrittenMetrics> {
  return withDuckDB('256MB', (connection) => writeMetricsDayWith(connection, day));
}

/** The same on a connection of the caller's, which must have one thread. */
export async function writeMetricsDayWith(
  connection: DuckDBConnection,
  day: MetricsToWrite,
): Promise<WrittenMetrics> {
  const { path, date, version = finalVersion } = day;
  const flaws = placeFlaws(day.flaws ?? {}, rowsIn(day, version));
  const line = jsonLine(metricFields, flaws.columns(metricColumns));
  const metrics = versionedMetrics(day, version, flaws.numbers);
  await copy(
    connection,
    `SELECT ${flaws.bytes('line')} FROM (SELECT i, ${line} AS line FROM (${metrics}))`,
    path,
  );
  return {
    date,
    version,
    rows: flaws.rows,
    reported: reportedIn(day, version, flaws.isLoadable),
    quarantined: flaws.quarantined,
    duplicates: flaws.duplicates,
    blankLines: flaws.blankLines,
    bytes: (await stat(path)).size,
  };
}

/** The impressions of the metrics that `writeMetricsDay` writes for the same day, seed and version. */
export async function writeImpressionsDay(day: ImpressionsToWrite): Promise<WrittenImpressions> {
  return withDuckDB('256MB', (connection) => writeImpressionsDayWith(connection, day));
}

export async function writeImpressionsDayWith(
  connection: DuckDBConnection,
  day: ImpressionsToWrite,
): Promise<WrittenImpressions> {
  const { path, date, version = finalVersion, schema = 'v1' } = day;
  const metrics = rowsIn(day, version);
  const line = jsonLine<keyof typeof impressionColumns>(impressionFields[schema], impressionColumns);
  const from = versionedMetrics(day, version, impressionNumbers(metrics));
  await copy(connection, `SELECT encode(${line} || chr(10)) FROM (${from})`, path);
  return { date, version, rows: impressionsOf(metrics), bytes: (await stat(path)).size };
}

/** Bytes as they are: any other format of DuckDB's refuses the broken ones that some flaws need. */
async function copy(connection: DuckDBConnection, query: string, path: string): Promise<void> {
  await connection.run(`COPY (${query}) TO ${quote(path)} (FORMAT blob, COMPRESSION gzip)`);
}
