import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type pg from 'pg';

import { inboxStart } from '../config/inbox-start.js';
import type { SentSource } from '../config/schema.js';
import { searchAttributes } from '../model/control.js';
import type { Delivery } from '../model/delivery.js';
import { arrivedSignal, type Arrived } from '../model/inbox.js';
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
  if (waiting) await nudge(client, config, waiting);
  const begun = await unsettledBatches(pool, config.name, {
    ...{ known: [], most: mostStarts, finalities: ['loading', 'provisional'] },
  });
  await purge(pool, config, now, onDeleted, signal);
  return begun;
}

const sourceKey = defineSearchAttributeKey(searchAttributes.source, SearchAttributeType.KEYWORD);
const vendorKey = defineSearchAttributeKey(searchAttributes.vendor, SearchAttributeType.KEYWORD);

/** Starts the workflow of the inbox where it does not run. */
async function nudge(client: Client, config: SentSource, news: Arrived): Promise<void> {
  const { workflowType, workflowId, input, staticSummary, staticDetails } = inboxStart(config);
  await client.workflow.signalWithStart(workflowType, {
    ...{ workflowId, taskQueue: activityInfo().taskQueue, args: [input], staticSummary, staticDetails },
    ...{ signal: arrivedSignal, signalArgs: [news] },
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: [
      { key: sourceKey, value: config.name },
      { key: vendorKey, value: config.vendor },
    ],
  });
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
