import type pg from 'pg';

import { tableNames } from './names.js';
import { abandonLoad } from './plan-load.js';
import { dropPartition } from './publish-partition.js';
import { transaction } from './transaction.js';

export interface DiscardRequest {
  readonly deliveryId: string;
  readonly schema: string;
  readonly table: string;
  readonly date: string;
  readonly reason: string;
  readonly request: string;
}

/** Takes a delivery's rows out of the tables and drops its staging, in one transaction. The ledger keeps its history. */
export async function discardDelivery(pool: pg.Pool, discard: DiscardRequest): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query('select 1 from landfall.delivery where id = $1 for no key update', [
      discard.deliveryId,
    ]);
    const { rowCount } = await client.query(
      `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
       values ($1, 'discarded', 'discarded', $2, $3)
       on conflict (delivery_id, request) do nothing`,
      [discard.deliveryId, discard.reason, discard.request],
    );
    if (rowCount === 0) return;
    await dropPartition(client, tableNames(discard.schema, discard.table, discard.date));
    await abandonStaging(client, discard.deliveryId, discard.reason, 'discarded');
    await client.query(
      `update landfall.load set state = 'discarded', ended_at = now(), reason = $2
       where delivery_id = $1 and state = 'published'`,
      [discard.deliveryId, discard.reason],
    );
    await client.query(
      `update landfall.delivery
       set finality = 'discarded', since = now(), reason = $2, notice = null, published_at = null
       where id = $1`,
      [discard.deliveryId, discard.reason],
    );
  });
}

/** Drops what is staged for a delivery, if anything is. */
export async function abandonStaging(
  client: pg.ClientBase,
  deliveryId: string,
  reason: string,
  state: 'abandoned' | 'discarded' = 'abandoned',
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `select id from landfall.load where delivery_id = $1 and state = 'staging'`,
    [deliveryId],
  );
  for (const load of rows) await abandonLoad(client, load.id, reason, state);
}
