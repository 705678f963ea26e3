/**
 * The sample export: three days of an invented shop, laid out as the vendor does. The same last day gives the same bytes
 * every time.
 *
 * On the second day the experiments were paused: nobody was bucketed, so `decisions` has its marker and no part. The
 * third day's events are still being uploaded: parts, no marker, and a delivery that waits.
 */

import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';

import { addDays } from '../../model/day.js';
import { dayPrefix } from '../../vendors/optimizely/layout.js';
import type { OptimizelyType } from '../../vendors/optimizely/tables.js';
import { withDuckDB } from '../duckdb.js';
import { writeDayWith, type DayToWrite, type WrittenDay } from './day.js';
import { sampleAccount, sampleEvents } from './rows.js';
import { quote } from '../quote.js';

export interface SampleExport {
  /** Below the directory: what a source's `store.prefix` has to say. */
  readonly prefix: string;
  readonly from: string;
  readonly to: string;
  readonly deliveries: readonly WrittenDay[];
  /** The event that `results` are for. */
  readonly event: { readonly name: string; readonly entity: string };
  /** `experiment_results(entity => …)` once the complete deliveries are loaded, ordered by experiment and variation. */
  readonly results: readonly SampleResult[];
}

export interface SampleResult {
  readonly experimentId: string;
  readonly variationId: string;
  readonly uniqueVisitorsFullStack: number;
  readonly uniqueVisitorsWeb: number;
  readonly uniqueConversions: number;
  readonly totalConversions: number;
  /** Cents. */
  readonly totalRevenue: number;
  readonly totalValue: number;
}

type SampleDay = Omit<DayToWrite, 'directory'>;

const shop = { visitors: 2_000, seed: 'sample' } as const;

/** The three days that end with `last`. */
function daysUntil(last: string): readonly SampleDay[] {
  const [first, second] = [addDays(last, -2), addDays(last, -1)];
  return [
    { type: 'decisions', date: first, rows: 2_400, parts: 2 },
    // Two rows that Postgres cannot take and three that come twice: a load has to say so.
    {
      type: 'events',
      date: first,
      rows: 4_000,
      parts: 2,
      flaws: { nulCharacter: 2, duplicatesAcross: 3 },
    },
    { type: 'decisions', date: second, rows: 0 },
    { type: 'events', date: second, rows: 3_200, parts: 2 },
    { type: 'decisions', date: last, rows: 2_700, parts: 2 },
    { type: 'events', date: last, rows: 1_500, marker: false },
  ];
}

/** Writes the export below `directory`, which becomes a bucket's content. Takes about a second. */
export async function writeSampleExport(target: {
  readonly directory: string;
  readonly lastDay: string;
}): Promise<SampleExport> {
  const prefix = `v1/account_id=${sampleAccount}/`;
  const root = join(target.directory, prefix);
  return withDuckDB('256MB', async (connection) => {
    const deliveries: WrittenDay[] = [];
    for (const day of daysUntil(target.lastDay)) {
      deliveries.push(await writeDayWith(connection, { directory: root, ...shop, ...day }));
    }
    const [, , event] = sampleEvents;
    return {
      prefix,
      from: addDays(target.lastDay, -2),
      to: target.lastDay,
      deliveries,
      event: { name: event.name, entity: event.entity },
      results: await computeResults(connection, root, deliveries, event.entity),
    };
  });
}

/** The metrics straight from the files, worked out another way than the SQL that a source's schema gets. */
async function computeResults(
  connection: DuckDBConnection,
  root: string,
  deliveries: readonly WrittenDay[],
  entity: string,
): Promise<SampleResult[]> {
  const files = (type: OptimizelyType): string => {
    const globs = deliveries
      .filter((day) => day.type === type && day.complete && day.parts.length > 0)
      .map((day) => quote(`${join(root, dayPrefix(type, day.date))}*/part-*.parquet`));
    return `read_parquet([${globs.join(', ')}], hive_partitioning = false)`;
  };
  const reader = await connection.runAndReadAll(`
    WITH decision AS (
      SELECT experiment_id, variation_id, visitor_id FROM ${files('decisions')} WHERE NOT is_holdback
    ),
    event AS (
      SELECT any_value(experiments) AS experiments, any_value(visitor_id) AS visitor_id,
        any_value(entity_id) AS entity_id, any_value(revenue) AS revenue, any_value("value") AS "value"
      FROM ${files('events')}
      WHERE NOT coalesce(contains(referer, chr(0)), false)
      GROUP BY uuid
    ),
    attributed AS (
      SELECT e.experiment_id, e.variation_id, visitor_id, entity_id, revenue, "value"
      FROM (SELECT unnest(experiments) AS e, * EXCLUDE experiments FROM event)
    ),
    variation AS (
      SELECT experiment_id, variation_id FROM decision UNION SELECT experiment_id, variation_id FROM attributed
    )
    SELECT v.experiment_id AS experimentId, v.variation_id AS variationId,
      (SELECT count(DISTINCT visitor_id) FROM decision d WHERE d.variation_id = v.variation_id)::INTEGER
        AS uniqueVisitorsFullStack,
      (SELECT count(*) FROM (
        SELECT visitor_id FROM decision d WHERE d.variation_id = v.variation_id
        UNION SELECT visitor_id FROM attributed a WHERE a.variation_id = v.variation_id))::INTEGER
        AS uniqueVisitorsWeb,
      count(DISTINCT a.visitor_id)::INTEGER AS uniqueConversions,
      count(a.visitor_id)::INTEGER AS totalConversions,
      coalesce(sum(a.revenue), 0)::INTEGER AS totalRevenue,
      coalesce(sum(a."value"), 0)::DOUBLE AS totalValue
    FROM variation v
    LEFT JOIN attributed a ON a.variation_id = v.variation_id AND a.entity_id = ${quote(entity)}
    GROUP BY ALL
    ORDER BY 1, 2`);
  return reader.getRowObjectsJson() as unknown as SampleResult[];
}
