/** The ledger's word on steps that fail and are tried again. */

import type pg from 'pg';

import { transaction } from './transaction.js';

/** A step of a workflow, as its attempts have it in common. */
export interface TroubledStep {
  readonly workflowId: string;
  readonly runId: string;
  /** The activity's type … */
  readonly name: string;
  /** … and its id within the run. */
  readonly activityId: string;
  readonly source?: string | undefined;
  readonly deliveryId?: string | undefined;
}

/** How an attempt ended; `elsewhere` says nothing about those before it. */
export type TroubleKind = 'passing' | 'refused' | 'elsewhere' | 'unexpected' | 'final';

export interface Streak {
  /** Milliseconds since the first refusal in a row; undefined where the last attempt was not refused. */
  readonly refusedFor?: number | undefined;
  /** Attempts in a row that ended unexpectedly. */
  readonly faults: number;
}

export interface Trouble {
  readonly kind: TroubleKind;
  readonly attempts: number;
  /** A sentence. */
  readonly reason: string;
}

/** Waits no longer than this for the row of a delivery that another step holds, in milliseconds. */
const patience = '2s';

/** Counts a failed attempt, of which nothing is said of the delivery yet. */
export async function countAttempt(
  pool: pg.Pool,
  { workflowId, name, activityId, runId, source, deliveryId }: TroubledStep,
  { kind, attempts, reason }: Trouble,
): Promise<Streak> {
  const { rows } = await pool.query<{ refused_for: string | null; faults: number }>(
    `insert into landfall.trouble as t
       (workflow_id, step, activity_id, run_id, source, delivery_id, reason, attempts, faults, refused_since)
     values ($1, $2, $3, $4, $5, $6, $7, $8,
             case when $9 = 'unexpected' then 1 else 0 end, case when $9 = 'refused' then clock_timestamp() end)
     on conflict (workflow_id, step, activity_id) do update set
       run_id = excluded.run_id, reason = excluded.reason, attempts = excluded.attempts, at = clock_timestamp(),
       since = case when t.run_id = excluded.run_id then t.since else excluded.since end,
       faults = case when t.run_id <> excluded.run_id then excluded.faults
                     when $9 = 'elsewhere' then t.faults
                     when $9 = 'unexpected' then t.faults + 1 else 0 end,
       refused_since = case when t.run_id <> excluded.run_id then excluded.refused_since
                            when $9 = 'elsewhere' then t.refused_since
                            when $9 = 'refused' then coalesce(t.refused_since, excluded.refused_since) end
     returning faults, 1000 * extract(epoch from clock_timestamp() - refused_since) as refused_for`,
    [workflowId, name, activityId, runId, source ?? null, deliveryId ?? null, reason, attempts, kind],
  );
  const { faults = 0, refused_for: refusedFor = null } = rows[0] ?? {};
  return { faults, ...(refusedFor === null ? {} : { refusedFor: Number(refusedFor) }) };
}

/** Whether that many attempts of the step have told how they ended. */
export async function isCounted(
  pool: pg.Pool,
  { workflowId, name, activityId, runId }: TroubledStep,
  attempts: number,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from landfall.trouble
     where workflow_id = $1 and step = $2 and activity_id = $3 and run_id = $4 and attempts >= $5`,
    [workflowId, name, activityId, runId, attempts],
  );
  return rowCount !== 0;
}

/**
 * Writes what people read of it. A delivery without visible rows has it as its reason until it is over; of one with such
 * rows the reason stays what made them final.
 */
export async function noteTrouble(
  pool: pg.Pool,
  { workflowId, name, activityId, deliveryId }: TroubledStep,
  reason: string,
  retryAt?: number,
): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query(`set local lock_timeout = '${patience}'`);
    await client.query(
      `update landfall.trouble set reason = $4, retry_at = to_timestamp($5::float8 / 1000)
       where workflow_id = $1 and step = $2 and activity_id = $3`,
      [workflowId, name, activityId, reason, retryAt ?? null],
    );
    if (deliveryId !== undefined) await showTrouble(client, deliveryId, reason);
  });
}

/** The step has failed for good: its workflow says so next, and the schedule may take the delivery up again. */
export async function noteFailure(
  pool: pg.Pool,
  step: TroubledStep,
  type: string,
  reason: string,
): Promise<void> {
  await noteTrouble(pool, step, reason);
  if (step.deliveryId === undefined) return;
  await transaction(pool, async (client) => {
    await client.query(`set local lock_timeout = '${patience}'`);
    await client.query(
      `update landfall.delivery set failure_type = $2, failed_at = clock_timestamp(), failures = failures + 1
       where id = $1`,
      [step.deliveryId, type],
    );
  });
}

/** What a success is the end of: the trouble of this step, of all of its kind, or of everything in its workflow. */
export type Ends = 'step' | 'kind' | 'workflow';

/** Takes back what was said of steps that have succeeded, or are over. */
export async function endTrouble(pool: pg.Pool, step: TroubledStep, ends: Ends): Promise<void> {
  const { workflowId, name, activityId, deliveryId } = step;
  const { rowCount } = await pool.query(
    `delete from landfall.trouble
     where workflow_id = $1 and ($4 = 'workflow' or step = $2 and ($4 = 'kind' or activity_id = $3))`,
    [workflowId, name, activityId, ends],
  );
  if (deliveryId === undefined || (rowCount === 0 && ends !== 'workflow')) return;
  const { rows } = await pool.query<{ reason: string | null }>(
    `select (select t.reason from landfall.trouble t where t.delivery_id = d.id order by at desc limit 1) as reason
     from landfall.delivery d where d.id = $1 and d.trouble is not null`,
    [deliveryId],
  );
  const [left] = rows;
  if (!left) return;
  await transaction(pool, async (client) => {
    await client.query(`set local lock_timeout = '${patience}'`);
    await showTrouble(client, deliveryId, left.reason);
  });
}

/** Whoever has written where the delivery stands has said what there was to say: nothing is tried again any more. */
export async function dropTrouble(pool: pg.Pool, workflowId: string): Promise<void> {
  await pool.query('delete from landfall.trouble where workflow_id = $1', [workflowId]);
}

/** The delivery goes on, so it is not one that failed. `loaded`: and what made it fail before is over. */
export async function forgetFailure(pool: pg.Pool, deliveryId: string, loaded: boolean): Promise<void> {
  await pool.query(
    `update landfall.delivery set failure_type = null, failures = case when $2 then 0 else failures end
     where id = $1 and (failure_type is not null or $2 and failures > 0)`,
    [deliveryId, loaded],
  );
}

async function showTrouble(client: pg.ClientBase, deliveryId: string, reason: string | null): Promise<void> {
  await client.query(
    `update landfall.delivery
     set reason_before = case when $2::text is null then null
                              when reason is distinct from trouble then reason else reason_before end,
         reason = case when published_at is not null or $2::text is null and reason is distinct from trouble then reason
                       when $2::text is null then reason_before else $2 end,
         trouble = $2
     where id = $1`,
    [deliveryId, reason],
  );
}
