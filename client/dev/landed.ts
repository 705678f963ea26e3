import pg from 'pg';

import { writeTable } from '../table.js';

/** A row of `experiment_results()`. */
interface Result {
  readonly experiment_id: string;
  readonly variation_id: string;
  readonly visitors: string;
  readonly conversions: string;
  /** Cents. */
  readonly revenue: string;
}

/** Results of the experiments over everything that landed: the vendor's metrics, asked of the tables. */
export async function readResults(pool: pg.Pool, schema: string): Promise<readonly Result[]> {
  const { rows } = await pool.query<Result>(
    `select experiment_id, variation_id, unique_visitors_full_stack as visitors, total_conversions as conversions,
            total_revenue as revenue
     from ${pg.escapeIdentifier(schema)}.experiment_results()
     order by experiment_id, variation_id limit 20`,
  );
  return rows;
}

export function writeResults(results: readonly Result[]): string {
  return writeTable(results, [
    { title: 'EXPERIMENT', cell: (row) => row.experiment_id },
    { title: 'VARIATION', cell: (row) => row.variation_id },
    { title: 'VISITORS', cell: (row) => Number(row.visitors) },
    { title: 'CONVERSIONS', cell: (row) => Number(row.conversions) },
    { title: 'REVENUE', cell: (row) => (Number(row.revenue) / 100).toFixed(2) },
  ]);
}
