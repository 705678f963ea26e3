/** A version that has lost so many rows that a person has to look at it before readers do. */

import type pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { answerWishes } from './ledger-change.js';
import type { PublishRequest } from './publish-request.js';

export interface VisibleRows {
  readonly loadId: string;
  readonly rows: number;
}

/** Rows that readers see of a delivery, and those of which others have newer copies; undefined where it is not published. */
export async function visibleRows(
  client: pg.ClientBase,
  deliveryId: string,
): Promise<VisibleRows | undefined> {
  const { rows } = await client.query<{ id: string; loaded: string }>(
    `select id, rows_loaded + rows_superseded as loaded from landfall.load where delivery_id = $1 and state = 'published'`,
    [deliveryId],
  );
  return rows[0] && { loadId: rows[0].id, rows: Number(rows[0].loaded) };
}

/** Whether a version loses more than the share of rows that it may lose. */
export function hasShrunk(before: number, after: number, shrinkLimit: number): boolean {
  return before > 0 && (before - after) / before > shrinkLimit;
}

/** A person wants a load that was held. That is kept also where it can no longer be published as it is staged. */
export async function acceptLoad(client: pg.ClientBase, loadId: string, reason: string): Promise<void> {
  await client.query(
    `update landfall.load set accepted_at = now(), accepted_reason = $2 where id = $1 and accepted_at is null`,
    [loadId, reason],
  );
}

/**
 * Whether a person has accepted this version: this load, or an earlier one of the very same files whose staging was lost.
 * What was accepted in place of another version than the one that readers see now does not count.
 */
export async function isAccepted(client: pg.ClientBase, request: PublishRequest): Promise<boolean> {
  const { rows } = await client.query<{ accepted: boolean }>(
    `select exists (
       select from landfall.load l join landfall.load a on a.delivery_id = l.delivery_id and a.fingerprint = l.fingerprint
       where l.id = $1 and a.accepted_at > coalesce(
         (select ended_at from landfall.load where delivery_id = l.delivery_id and state = 'published'), '-infinity')
     ) as accepted`,
    [request.loadId],
  );
  return rows[0]?.accepted ?? false;
}

/** Keeps a load as it is staged, for a person to accept. The ledger says why; readers see what they saw before. */
export async function holdLoad(
  client: pg.ClientBase,
  request: PublishRequest,
  before: VisibleRows,
  after: number,
): Promise<Failure> {
  const { loadId, deliveryId, shrinkLimit = 1 } = request;
  const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
  const why =
    `A version of ${deliveryId} is held: it has ${after} rows (load ${loadId}), where readers see ${before.rows} ` +
    `(load ${before.loadId}). That is ${percent((before.rows - after) / before.rows)} fewer, and shrinkLimit is ` +
    `${percent(shrinkLimit)}. Readers keep what they see. Accept the delivery to publish this version, reprocess it to ` +
    `look again, or skip it to leave everything as it is.`;
  await client.query(
    `update landfall.load
     set held_at = coalesce(held_at, now()), held_reason = $2, held_finality = $3, reason = $4, notice = $5
     where id = $1`,
    [loadId, why, request.finality, request.reason, request.notice ?? null],
  );
  await client.query('update landfall.delivery set held = $2 where id = $1', [deliveryId, why]);
  await client.query(
    `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
     select id, 'held', finality, $2, $3 from landfall.delivery where id = $1
     on conflict (delivery_id, request) do nothing`,
    [deliveryId, why, `held/${loadId}`],
  );
  await answerWishes(client, deliveryId, request.answers ?? []);
  return new Failure(failureTypes.heldForReview, why);
}
