/**
 * The activities, each with its policy beside its name: how long a step may take, how often it is tried, and what it is
 * called on the timeline.
 */

import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../activities/create.js';
import type { DeliveryInput } from '../model/control.js';
import type { DeliveryChange } from '../warehouse/ledger-change.js';
import type { LedgerDelivery } from '../warehouse/ledger-delivery.js';

/** Passing faults are retried for as long as they last: within seconds at first, then every five minutes. */
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5 minutes' } as const;

/** Reads and writes of the ledger: milliseconds, or as long as another step of the delivery holds its row. */
export const quick = proxyActivities<
  Pick<Activities, 'openDelivery' | 'record' | 'abandon' | 'discard' | 'settledDeliveries'>
>({ startToCloseTimeout: '1 hour', heartbeatTimeout: '10 seconds', retry });

/** Never repeated by the server: asking a vendor twice may be counted twice. */
export const once = proxyActivities<Pick<Activities, 'askExport'>>({
  startToCloseTimeout: '3 minutes',
  retry: { maximumAttempts: 1 },
});

/** Asks a vendor how far it is. */
export const polling = proxyActivities<Pick<Activities, 'exportProgress'>>({
  startToCloseTimeout: '3 minutes',
  heartbeatTimeout: '20 seconds',
  retry,
});

/** Asks a vendor what ids are called. After half a day in vain the next run is soon there. */
export const naming = proxyActivities<Pick<Activities, 'namePage' | 'nameIds'>>({
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '20 seconds',
  retry,
});

/** Looks into the inbox of a source: a short transaction, and counting what waits. */
export const inboxSteps = proxyActivities<Pick<Activities, 'gather' | 'countInbox'>>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry,
});

/** Rewrites old days of tables. What it does not get done, the schedule's next run does. */
export const tending = proxyActivities<Pick<Activities, 'mergeDays'>>({
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '60 seconds',
  retry: { ...retry, maximumAttempts: 3 },
});

/** Writes into the ledger; the timeline shows what. */
export function record(change: DeliveryChange): Promise<LedgerDelivery> {
  return quick.record.executeWithOptions({ summary: `ledger: ${change.kind.replace(':', ' ')}` }, [change]);
}

/** Drops what is staged for a delivery; what readers see stays. */
export function abandon(id: string, reason: string): Promise<void> {
  return quick.abandon.executeWithOptions({ summary: 'drop what is staged' }, [{ id, reason }]);
}

/** Enters a delivery into the ledger, or finds it there. */
export function openDelivery(input: DeliveryInput): Promise<LedgerDelivery> {
  return quick.openDelivery.executeWithOptions({ summary: 'find it in the ledger' }, [input]);
}

/** Steps whose length grows with the data. They heartbeat, so a dead worker is noticed after `heartbeatTimeout` ms. */
export function long(heartbeatTimeout: number) {
  return {
    listing: proxyActivities<
      Pick<Activities, 'look' | 'plan' | 'discover' | 'nextDeliveries' | 'deleteDiscarded'>
    >({
      startToCloseTimeout: '1 hour',
      heartbeatTimeout,
      retry,
    }),
    staging: proxyActivities<Pick<Activities, 'stage'>>({
      startToCloseTimeout: '12 hours',
      heartbeatTimeout,
      retry,
    }),
    // Publishing is one transaction: when it is cancelled we wait to hear whether it was committed.
    publishing: proxyActivities<Pick<Activities, 'publish'>>({
      startToCloseTimeout: '6 hours',
      heartbeatTimeout,
      retry,
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }),
  };
}

export type LongSteps = ReturnType<typeof long>;
