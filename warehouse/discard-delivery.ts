import type pg from 'pg';

import { beforeDiscarding } from './before-showing.js';
import { tableNames } from './names.js';
import { abandonLoad } from './plan-load.js';
import { takeOutMerged } from './publish-merge.js';
import { takeOutDay } from './show-day.js';
import type { Target } from './target.js';
import { transaction } from './transaction.js';

export interface DiscardRequest {
  readonly deliveryId: string;
  readonly target: Target;
  readonly reason: string;
  readonly request: string;
}

/** Takes a delivery's rows out of the tables and drops its staging, in one transaction. The ledger keeps its history. */
export async function discardDelivery(pool: pg.Pool, discard: DiscardRequest): Promise<void> {
  const replaces = discard.target.how === 'replace';
  const mayWait = replaces && (await beforeDiscarding(pool, discard));
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
    if (!replaces) await takeOutMerged(client, discard.deliveryId, discard.target);
    await abandonStaging(client, discard.deliveryId, discard.reason, 'discarded');
    await client.query(
      `update landfall.load set state = 'discarded', ended_at = now(), reason = $2
       where delivery_id = $1 and state = 'published'`,
      [discard.deliveryId, discard.reason],
    );
    await client.query(
      `update landfall.delivery
       set finality = 'discarded', since = now(), reason = $2, notice = null, published_at = null, by_rule = false
       where id = $1`,
      [discard.deliveryId, discard.reason],
    );
    // Last of all, since it keeps readers out until the transaction ends.
    if (replaces) await takeOut(client, discard, mayWait);
  });
}

async function takeOut(
  client: pg.ClientBase,
  { deliveryId, target }: DiscardRequest,
  mayWait: boolean,
): Promise<void> {
  for (const { name } of target.tables) {
    const names = tableNames(target.schema, name, target.date);
    await takeOutDay(client, names, mayWait, `The rows of delivery ${deliveryId} are not taken away yet`);
  }
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
