import type pg from 'pg';

import type { Delivery } from '../model/delivery.js';

/** One that failed since a store, a database or the vendor refused it for `refusalGrace`. */
export interface RefusedDelivery extends Delivery {
  /** Readers see a final version of it, which was to be loaded again. */
  readonly final: boolean;
}

/**
 * The deliveries of a source that may be tried again: at once after their first failure, and after each further one in a
 * row an hour later than before, six at the most. What is listed may still refuse to be read.
 */
export async function refusedDeliveries(pool: pg.Pool, source: string): Promise<RefusedDelivery[]> {
  const { rows } = await pool.query<Omit<RefusedDelivery, 'exportJob'> & { exportJob: string | null }>(
    `select id, source, type, to_char(date, 'YYYY-MM-DD') as date, export_job as "exportJob", finality = 'final' as final
     from landfall.delivery
     where source = $1 and failure_type = 'AccessDenied' and finality in ('failed', 'final')
       and failed_at <= clock_timestamp() - least(failures - 1, 6) * interval '1 hour'
     order by date, id`,
    [source],
  );
  return rows.map(({ exportJob, ...row }) => (exportJob === null ? row : { ...row, exportJob }));
}
