/** What people should know of a delivery's versions. A notice stays until somebody acknowledges it. */

import type pg from 'pg';

import { writeInstant } from '../vendors/completion.js';
import { transaction } from './transaction.js';

/** `version`: what the vendor's rule says of the version, such as a final day that changed. */
export type NoticeKind = 'version' | 'removed' | 'unreadable' | 'gone';

export interface Notice {
  readonly kind: NoticeKind;
  /** One or more sentences. */
  readonly text: string;
}

/** Writes notices about a load. One that the delivery has already, word for word, is not written again. */
export async function writeNotices(
  db: pg.Pool | pg.ClientBase,
  deliveryId: string,
  loadId: string,
  notices: readonly Notice[],
): Promise<void> {
  if (notices.length === 0) return;
  await db.query(
    `insert into landfall.notice (delivery_id, load_id, kind, text)
     select $1, $2, kind, text from unnest($3::text[], $4::text[]) as n (kind, text)
     on conflict (delivery_id, kind, hashtextextended(text, 0)) do nothing`,
    [deliveryId, loadId, notices.map(({ kind }) => kind), notices.map(({ text }) => text)],
  );
}

/**
 * The files of deliveries are there again: notices that they are gone say so from then on, at an instant (epoch ms). Should
 * they go once more, that is another notice, also where somebody has acknowledged the first.
 */
export async function noteBack(
  db: pg.Pool | pg.ClientBase,
  deliveryIds: readonly string[],
  at: number,
): Promise<void> {
  if (deliveryIds.length === 0) return;
  const back = 'They are there again';
  await db.query(
    `update landfall.notice set text = text || $2
     where delivery_id = any($1::text[]) and kind = 'gone' and strpos(text, $3) = 0`,
    [deliveryIds, ` ${back}, seen at ${writeInstant(at)}.`, back],
  );
}

export interface Acknowledgement {
  readonly deliveryId: string;
  readonly by: string;
  readonly reason: string;
}

/** Acknowledges all open notices of a delivery, and gives them. The delivery's history says so where there were any. */
export async function acknowledgeNotices(
  pool: pg.Pool,
  { deliveryId, by, reason }: Acknowledgement,
): Promise<readonly Notice[]> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query<Notice>(
      `with acknowledged as (
         update landfall.notice
         set acknowledged_at = now(), acknowledged_by = $2, acknowledged_reason = $3
         where delivery_id = $1 and acknowledged_at is null
         returning id, kind, text
       )
       select kind, text from acknowledged order by id`,
      [deliveryId, by, reason],
    );
    if (rows.length > 0) {
      await client.query(
        `insert into landfall.delivery_event (delivery_id, kind, finality, reason)
         select id, 'acknowledged', finality, $2 from landfall.delivery where id = $1`,
        [deliveryId, `${rows.length === 1 ? '1 notice' : `${rows.length} notices`}, by ${by}: ${reason}`],
      );
    }
    return rows;
  });
}
