import { activityInfo } from '@temporalio/activity';
import type pg from 'pg';

import { inboxSignal } from '../config/inbox-start.js';
import type { SentSource } from '../config/schema.js';
import type { Delivery } from '../model/delivery.js';
import { inboxWorkflow } from '../model/inbox.js';
import { somethingWaits, unsettledBatches } from '../warehouse/inbox-deliveries.js';
import { purgeInbox } from '../warehouse/inbox-purge.js';
import type { Dependencies } from './dependencies.js';

/** Deliveries whose bodies are deleted in one transaction, and how many such are made at most before the next time. */
const portion = 50;
const mostPortions = 40;

/** Deliveries that are taken up again at a time. */
const mostStarts = 20;

/**
 * What the schedule does for an inbox: tells its workflow of bodies and deliveries that wait, in case nobody has, and deletes
 * bodies that were kept for long enough.
 *
 * @returns the deliveries that were being loaded, should their workflow have ended by accident. Those that were not begun
 *   yet are for the inbox's workflow to start, which bounds how many load at a time.
 */
export async function tendInbox(
  { pool, client }: Pick<Dependencies, 'pool' | 'client'>,
  config: SentSource,
  now: number,
  onDeleted: (bodies: number) => void,
  signal: AbortSignal,
): Promise<Delivery[]> {
  const waiting = await somethingWaits(pool, config.name);
  if (waiting) {
    const { taskQueue } = activityInfo();
    await client.workflow.signalWithStart(inboxWorkflow, inboxSignal(config, taskQueue, waiting));
  }
  const begun = await unsettledBatches(pool, config.name, {
    ...{ known: [], most: mostStarts, finalities: ['loading', 'provisional'] },
  });
  await purge(pool, config, now, onDeleted, signal);
  return begun;
}

async function purge(
  pool: pg.Pool,
  { name, keepInbox }: SentSource,
  now: number,
  onDeleted: (bodies: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let portions = 0; portions < mostPortions; portions += 1) {
    signal.throwIfAborted();
    const { deliveries, bodies } = await purgeInbox(pool, name, now - keepInbox, portion);
    onDeleted(bodies);
    if (deliveries < portion) return;
  }
}
