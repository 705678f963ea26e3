/** Changes of the ledger that workflows ask for: of finality, and what people said. */

import type pg from 'pg';

import { isSettled, type Finality } from '../model/delivery.js';
import type { LedgerWish } from '../model/wish.js';
import { notInLedger, readDelivery, type LedgerDelivery } from './ledger-delivery.js';
import { transaction } from './transaction.js';

export interface DeliveryChange {
  readonly id: string;
  /** What happened: `finality`, `signal:pause`, `note` … */
  readonly kind: string;
  readonly reason: string;
  /** Absent: stays as it is. */
  readonly finality?: Finality;
  readonly paused?: boolean;
  /** The finality is that of what readers see, not of what is under way. */
  readonly ofVisible?: boolean;
  /** What has come to rest keeps its finality. */
  readonly unlessSettled?: boolean;
  /** The vendor's rule asks for it, and not a person. */
  readonly byRule?: boolean;
  /** What a person asks for with it. */
  readonly wish?: LedgerWish;
  /** Requests of the wishes that are done or refused with it. */
  readonly answers?: readonly string[];
  /** Names the step that asks, so that asking twice changes the ledger once. */
  readonly request: string;
}

/**
 * Writes a change of finality, or a person's word, into the ledger with its reason. A delivery whose rows are visible
 * keeps the finality of those rows while it is loaded again, waits or fails: what readers see is still that version. When
 * that is final, its reason stays too: what made it so. What could not be done is its `refusal` then. A provisional one that
 * a person skips is skipped, and its rows stay.
 */
export async function recordChange(pool: pg.Pool, change: DeliveryChange): Promise<LedgerDelivery> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query<Before>(
      `select finality, published_at is not null as published, wish
       from landfall.delivery where id = $1 for no key update`,
      [change.id],
    );
    const before = rows[0];
    if (!before) throw notInLedger(change.id);
    const after = changed(before, change);
    const { rowCount } = await client.query(
      `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
       values ($1, $2, $3, $4, $5)
       on conflict (delivery_id, request) do nothing`,
      [change.id, change.kind, after.said, change.reason, change.request],
    );
    if (rowCount === 1) {
      await client.query(
        `update landfall.delivery
         set finality = $2,
             since = case when finality = $2 then since else now() end,
             reason = case when $3::text is null then reason else $3 end,
             paused = coalesce($4, paused),
             by_rule = case when $3::text is null then by_rule else $5 end,
             refusal = case when $6::text is not null then $6 when $7 then null else refusal end,
             -- What went wrong before is over once it is said what the delivery has come to.
             trouble = case when $8 then null else trouble end,
             reason_before = case when $8 then null else reason_before end
         where id = $1`,
        [
          change.id,
          after.finality,
          after.reason,
          change.paused ?? null,
          change.byRule === true,
          after.refusal,
          change.wish !== undefined || change.ofVisible === true,
          after.isNews,
        ],
      );
      await answerWishes(client, change.id, change.answers ?? []);
      if (change.wish) await writeWish(client, change.id, change.wish);
    }
    return readDelivery(client, change.id);
  });
}

interface Before {
  readonly finality: Finality;
  readonly published: boolean;
  readonly wish: string | null;
}

interface After {
  readonly finality: Finality;
  /** What the history says that it came to. */
  readonly said: Finality;
  /** Null: stays as it is, like the next. */
  readonly reason: string | null;
  readonly refusal: string | null;
  /** It is said what readers see, or what it is without visible rows. */
  readonly isNews: boolean;
}

function changed(before: Before, change: DeliveryChange): After {
  const { finality, reason } = change;
  const stays = {
    finality: before.finality,
    said: before.finality,
    reason: null,
    refusal: null,
    isNews: false,
  };
  if (finality === undefined) return stays;
  if (change.unlessSettled === true && isSettled(before.finality)) return stays;
  if (!before.published || change.ofVisible === true) {
    return { finality, said: finality, reason, refusal: null, isNews: true };
  }
  // Nobody waits for another version any more. Provisional, it would be taken up again by the schedule.
  if (finality === 'skipped' && before.finality === 'provisional') {
    return { finality, said: finality, reason, refusal: null, isNews: true };
  }
  const isNews = finality !== 'waiting' && finality !== 'loading';
  if (before.finality !== 'final') return { ...stays, said: finality, reason, isNews };
  const refused = finality === 'failed' || finality === 'discarded';
  const what = before.wish === null ? 'It could not be loaded again' : `${before.wish} could not be done`;
  return { ...stays, said: finality, refusal: refused ? `${what}: ${reason}` : null, isNews };
}

async function writeWish(
  client: pg.ClientBase,
  id: string,
  { wish, reason, request }: LedgerWish,
): Promise<void> {
  await client.query(
    `update landfall.delivery set wish = $2, wished_at = now(), wish_reason = $3, wish_request = $4 where id = $1`,
    [id, wish, reason, request],
  );
}

/** Takes wishes off the ledger that are done or refused. One that came later stays. */
export async function answerWishes(
  db: pg.Pool | pg.ClientBase,
  id: string,
  requests: readonly string[],
): Promise<void> {
  if (requests.length === 0) return;
  await db.query(
    `update landfall.delivery set wish = null, wished_at = null, wish_reason = null, wish_request = null
     where id = $1 and wish_request = any($2)`,
    [id, requests],
  );
}

/** The same after a load was published, which does away with what could not be done before. */
export async function answerByLoad(pool: pg.Pool, id: string, requests: readonly string[]): Promise<void> {
  await answerWishes(pool, id, requests);
  await pool.query('update landfall.delivery set refusal = null where id = $1 and refusal is not null', [id]);
}
