import type pg from 'pg';

import type { Delivery, Finality } from '../model/delivery.js';

export interface KnownFinality {
  readonly id: string;
  readonly finality: Finality;
  readonly reason: string | null;
  /** What ended it was its vendor's rule, and not a person. */
  readonly byRule: boolean;
  /** What a person asked for and is not done yet; null where there is nothing. */
  readonly wish: string | null;
  /** A version of it waits for a person. */
  readonly held: boolean;
}

/** Finality of those deliveries that the ledger knows. */
export async function readFinality(pool: pg.Pool, ids: readonly string[]): Promise<KnownFinality[]> {
  const { rows } = await pool.query<KnownFinality>(
    `select id, finality, reason, by_rule as "byRule", wish, held is not null as held
     from landfall.delivery where id = any($1::text[])`,
    [ids],
  );
  return rows;
}

export interface KnownDelivery extends Delivery {
  readonly finality: Finality;
  readonly since: Date;
  readonly reason: string | null;
  readonly byRule: boolean;
}

/** A delivery as the ledger has it; undefined when it does not know it. */
export async function readDelivery(pool: pg.Pool, id: string): Promise<KnownDelivery | undefined> {
  const { rows } = await pool.query<Omit<KnownDelivery, 'exportJob'> & { exportJob: string | null }>(
    `select id, source, type, to_char(date, 'YYYY-MM-DD') as date, export_job as "exportJob", finality, since, reason,
            by_rule as "byRule"
     from landfall.delivery where id = $1`,
    [id],
  );
  const row = rows[0];
  if (!row) return undefined;
  const { exportJob, ...known } = row;
  return exportJob === null ? known : { ...known, exportJob };
}
