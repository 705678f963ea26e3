/** How a delivery comes to rest, whatever its vendor: the ledger first, then those who wait to hear of it. */

import { CancellationScope, getExternalWorkflowHandle, log } from '@temporalio/workflow';

import type { DeliveryResult, LoadCounts } from '../model/control.js';
import type { Delivery, Finality } from '../model/delivery.js';
import type { LedgerDelivery } from '../warehouse/ledger-delivery.js';
import type { Desk, Ending } from './desk.js';
import { abandon, quick, record } from './steps.js';

/** Writes where a delivery stands into the ledger and the Web UI. */
export async function note(
  desk: Desk,
  finality: 'waiting' | 'loading',
  reason: string,
): Promise<LedgerDelivery> {
  desk.show({ finality, next: reason });
  return record({ id: desk.id, kind: finality, finality, reason, request: desk.nextRequest() });
}

/** What readers see is final from now on. */
export function confirm(desk: Desk, reason: string): Promise<LedgerDelivery> {
  return record({
    id: desk.id,
    kind: 'final',
    finality: 'final',
    reason,
    ofVisible: true,
    request: desk.nextRequest(),
  });
}

/** People ended it: skipped leaves what readers see, discarded takes it away. Staging goes in both cases. */
export async function end(desk: Desk, delivery: Delivery, ending: Ending): Promise<DeliveryResult> {
  if (ending.kind === 'discard') {
    await quick.discard.executeWithOptions({ summary: 'take its rows out of the tables' }, [
      { delivery, reason: ending.reason, request: desk.nextRequest() },
    ]);
    return settled(desk, 'discarded', ending.reason);
  }
  await abandon(desk.id, ending.reason);
  const ledger = await record({
    id: desk.id,
    kind: 'skipped',
    finality: 'skipped',
    reason: ending.reason,
    request: desk.nextRequest(),
  });
  return settled(desk, ledger.finality, ending.reason);
}

/** Nothing more can be done without a person. What readers saw before stays. */
export async function fail(desk: Desk, reason: string): Promise<DeliveryResult> {
  await giveUp(desk, 'failed', reason);
  return settled(desk, 'failed', reason);
}

/** Nothing more is waited for. What readers saw before stays, with its finality. */
export async function giveUp(
  desk: Desk,
  finality: 'failed' | 'discarded',
  reason: string,
): Promise<LedgerDelivery> {
  await abandon(desk.id, reason);
  const byRule = finality === 'discarded';
  return record({ id: desk.id, kind: finality, finality, reason, byRule, request: desk.nextRequest() });
}

/** Tells everyone who asked, and is the workflow's result. */
export async function settled(
  desk: Desk,
  finality: Finality,
  reason: string,
  counts?: LoadCounts,
): Promise<DeliveryResult> {
  desk.show({ finality, next: finality === 'final' ? 'Nothing: it is final.' : reason });
  // Whoever asked to be told until now is told.
  await desk.quiet();
  const result = { delivery: desk.id, finality, reason, ...(counts ? { counts } : {}) };
  for (const workflowId of desk.notify) {
    await getExternalWorkflowHandle(workflowId)
      .signal('settled', result)
      .catch((error: unknown) => log.info(`${workflowId} no longer listens: ${String(error)}`));
  }
  await desk.quiet();
  return result;
}

/** The workflow was cancelled: the ledger says so before it ends. */
export async function endCancelled(desk: Desk, delivery: Delivery): Promise<void> {
  await CancellationScope.nonCancellable(() =>
    end(desk, delivery, { kind: 'skip', reason: 'The workflow was cancelled.' }),
  );
}
