import type pg from 'pg';

import type { Finality } from '../model/delivery.js';

export interface KnownFinality {
  readonly id: string;
  readonly finality: Finality;
  readonly reason: string | null;
}

/** Finality of those deliveries that the ledger knows. */
export async function readFinality(pool: pg.Pool, ids: readonly string[]): Promise<KnownFinality[]> {
  const { rows } = await pool.query<KnownFinality>(
    'select id, finality, reason from landfall.delivery where id = any($1::text[])',
    [ids],
  );
  return rows;
}
