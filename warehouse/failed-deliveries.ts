import type pg from 'pg';

import type { Delivery } from '../model/delivery.js';

/** One that failed by what may pass: it was refused for `refusalGrace`, or met an error that Landfall did not expect. */
export interface FailedDelivery extends Delivery {
  /** Readers see a final version of it, which was to be loaded again. */
  readonly final: boolean;
}

/**
 * The failed deliveries of a source that may be tried again. One that was refused: at once after its first failure, and
 * after each further one in a row an hour later than before, six at the most, since what is listed may still refuse to be
 * read. One that met an unexpected error an hour later than that: another version may know better.
 * The oldest days first, `most` of them.
 */
export async function failedDeliveries(
  pool: pg.Pool,
  source: string,
  most: number,
): Promise<FailedDelivery[]> {
  const { rows } = await pool.query<Omit<FailedDelivery, 'exportJob'> & { exportJob: string | null }>(
    `select id, source, type, to_char(date, 'YYYY-MM-DD') as date, export_job as "exportJob", finality = 'final' as final
     from landfall.delivery
     where source = $1 and failure_type in ('AccessDenied', 'ProgramFault') and finality in ('failed', 'final')
       and failed_at <= clock_timestamp()
         - least(failures - case failure_type when 'AccessDenied' then 1 else 0 end, 6) * interval '1 hour'
     order by date, id
     limit $2`,
    [source, most],
  );
  return rows.map(({ exportJob, ...row }) => (exportJob === null ? row : { ...row, exportJob }));
}
