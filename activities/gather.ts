import type pg from 'pg';

import { deliveryStart, type DeliveryStart } from '../config/delivery-start.js';
import { nameBatch } from '../config/name-delivery.js';
import { hasStore, type SentSource } from '../config/schema.js';
import { Failure, failureTypes } from '../model/failure.js';
import { inboxId, type InboxSeen } from '../model/inbox.js';
import { countFailed, unsettledBatches } from '../warehouse/inbox-deliveries.js';
import { inboxDepth } from '../warehouse/inbox-depth.js';
import { gatherInbox } from '../warehouse/inbox-gather.js';
import type { Dependencies, OpenSource } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export interface GatherStep {
  readonly source: string;
  /** Ids of deliveries that were started already. */
  readonly known: readonly string[];
  /** How many deliveries may be started. */
  readonly room: number;
}

export interface Gathered extends InboxSeen {
  /** Those that are to be started, oldest first. */
  readonly starts: readonly DeliveryStart[];
  /** There is more than may be started. */
  readonly more: boolean;
  /** What the configuration says now. */
  readonly gatherBytes: number;
  readonly gatherWithin: number;
}

/** At most so many are made and started at a time. */
const mostStarts = 20;

export function createGather({ pool, source }: Dependencies) {
  /**
   * Makes deliveries of what waits in a source's inbox, as many as may be started beside those that were made before and have
   * not come to rest. Repeating it gives the same ones.
   */
  return async function gather({ source: name, known, room }: GatherStep): Promise<Gathered> {
    const config = sentSource(source(name));
    const most = Math.min(room, mostStarts);
    return withHeartbeat(
      () => undefined,
      async () => {
        const before = await unsettledBatches(pool, name, { known, most: most + 1 });
        const left = await gatherInbox(pool, {
          source: name,
          type: config.types[0] ?? '',
          gatherBytes: config.gatherBytes,
          batches: Math.max(0, most - before.length),
          deliveryOf: (day, firstBody) => {
            const delivery = nameBatch(config, day, firstBody);
            return { id: delivery.id, deadline: deliveryStart(config, delivery, Date.now()).input.deadline };
          },
        });
        const unsettled = await unsettledBatches(pool, name, { known, most: most + 1 });
        const starts = unsettled
          .slice(0, most)
          .map((delivery) => deliveryStart(config, delivery, Date.now()));
        const { gatherBytes, gatherWithin } = config;
        const more = left || unsettled.length > most;
        return { starts, more, gatherBytes, gatherWithin, ...(await look(pool, name)) };
      },
    );
  };
}

export function createCountInbox({ pool, source }: Dependencies) {
  /** How much waits in a source's inbox. */
  return async function countInbox({ source: name }: { readonly source: string }): Promise<InboxSeen> {
    sentSource(source(name));
    return withHeartbeat(
      () => undefined,
      () => look(pool, name),
    );
  };
}

async function look(pool: pg.Pool, source: string): Promise<InboxSeen> {
  return { depth: await inboxDepth(pool, source), failed: await countFailed(pool, source) };
}

/** Throws `ConfigInvalid` for a source whose vendor does not send. */
function sentSource({ config }: OpenSource): SentSource {
  if (!hasStore(config)) return config;
  throw new Failure(
    failureTypes.configInvalid,
    `Source '${config.name}' has no inbox: ${config.vendor}'s files lie in a store. Terminate the workflow ` +
      `'${inboxId(config.name)}'.`,
  );
}
