import type pg from 'pg';

import { writeInstant } from '../vendors/completion.js';
import { beforeDiscarding } from './before-showing.js';
import { answerWishes } from './ledger-change.js';
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
  /** Requests of the wishes that are done with it. */
  readonly answers?: readonly string[];
}

/**
 * Takes a delivery's rows out of the tables and drops its staging, in one transaction. The ledger keeps its history. One
 * that a person has discarded already stays as it is.
 *
 * @returns why it is discarded, as a sentence.
 */
export async function discardDelivery(pool: pg.Pool, discard: DiscardRequest): Promise<string> {
  const { deliveryId } = discard;
  const replaces = discard.target.how === 'replace';
  const mayWait = replaces && (await beforeDiscarding(pool, discard));
  return transaction(pool, async (client) => {
    const { rows } = await client.query<Before>(
      `select finality, by_rule, since, reason from landfall.delivery where id = $1 for no key update`,
      [deliveryId],
    );
    const already = rows.find(({ finality, by_rule }) => finality === 'discarded' && !by_rule);
    const reason = already ? writeAlready(already, discard.reason) : discard.reason;
    const { rowCount } = await client.query(
      `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
       values ($1, 'discarded', 'discarded', $2, $3)
       on conflict (delivery_id, request) do nothing`,
      [deliveryId, reason, discard.request],
    );
    if (rowCount === 0) return reasonGiven(client, discard);
    if (!replaces) await takeOutMerged(client, deliveryId, discard.target);
    await abandonStaging(client, deliveryId, discard.reason, 'discarded');
    await client.query(
      `update landfall.load set state = 'discarded', ended_at = now(), reason = $2
       where delivery_id = $1 and state = 'published'`,
      [deliveryId, discard.reason],
    );
    if (already === undefined) {
      await client.query(
        `update landfall.delivery
         set finality = 'discarded', since = now(), reason = $2, notice = null, refusal = null, published_at = null,
             by_rule = false
         where id = $1`,
        [deliveryId, reason],
      );
    }
    await answerWishes(client, deliveryId, discard.answers ?? []);
    // Last of all, since it keeps readers out until the transaction ends.
    if (replaces) await takeOut(client, discard, mayWait);
    return reason;
  });
}

interface Before {
  readonly finality: string;
  readonly by_rule: boolean;
  readonly since: Date;
  readonly reason: string | null;
}

function writeAlready({ since, reason }: Before, again: string): string {
  const when = writeInstant(since.getTime());
  return `It is discarded already, since ${when} (${reason ?? 'no reason given'}). Asked for again: ${again}`;
}

/** The step runs a second time: its first answer was lost. */
async function reasonGiven(client: pg.ClientBase, discard: DiscardRequest): Promise<string> {
  const { rows } = await client.query<{ reason: string | null }>(
    'select reason from landfall.delivery_event where delivery_id = $1 and request = $2',
    [discard.deliveryId, discard.request],
  );
  return rows[0]?.reason ?? discard.reason;
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
