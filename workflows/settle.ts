/** How a delivery comes to rest, whatever its vendor: the ledger first, then those who wait to hear of it. */

import { CancellationScope, getExternalWorkflowHandle, log } from '@temporalio/workflow';

import { deliveryOf, type DeliveryInput, type DeliveryResult, type LoadCounts } from '../model/control.js';
import type { Delivery, Finality } from '../model/delivery.js';
import type { LedgerDelivery } from '../warehouse/ledger-delivery.js';
import type { Wish } from '../model/wish.js';
import type { Desk } from './desk.js';
import { wishesStand } from './patches.js';
import { abandon, openDelivery, quick, record } from './steps.js';

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
  return answering(desk, (answers) =>
    record({
      ...{ id: desk.id, kind: 'final', finality: 'final', reason, ofVisible: true },
      ...{ ...answers, request: desk.nextRequest() },
    }),
  );
}

/**
 * People ended it: skipped leaves what readers see, and what a person has discarded; discarded takes it away. Staging goes
 * in both cases.
 */
export async function end(
  desk: Desk,
  delivery: Delivery,
  ending: Wish,
  ledger: LedgerDelivery | undefined,
): Promise<DeliveryResult> {
  const { reason } = ending;
  if (ending.kind === 'discard') {
    const said = await answering(desk, (answers) =>
      quick.discard.executeWithOptions({ summary: 'take its rows out of the tables' }, [
        { delivery, reason, ...answers, request: desk.nextRequest() },
      ]),
    );
    // Earlier versions of the step did not say.
    return settled(desk, 'discarded', said ?? reason);
  }
  const isDiscarded = ledger?.finality === 'discarded' && !ledger.byRule;
  const after = await answering(desk, async (answers) => {
    await abandon(desk.id, reason);
    return record({
      ...{ id: desk.id, kind: 'skipped', reason },
      ...(isDiscarded ? {} : { finality: 'skipped' as const }),
      ...{ ...answers, request: desk.nextRequest() },
    });
  });
  return settled(desk, after.finality, reason);
}

/** Nothing more can be done without a person. What readers saw before stays. */
export async function fail(desk: Desk, reason: string): Promise<DeliveryResult> {
  await giveUp(desk, 'failed', reason);
  return settled(desk, 'failed', reason);
}

/** Nothing more is waited for. What readers saw before stays, with its finality; what was asked for is refused. */
export async function giveUp(
  desk: Desk,
  finality: 'failed' | 'discarded',
  reason: string,
): Promise<LedgerDelivery> {
  const byRule = finality === 'discarded';
  const ledger = await answering(desk, async (answers) => {
    await abandon(desk.id, reason);
    return record({
      ...{ id: desk.id, kind: finality, finality, reason, byRule },
      ...(desk.paused ? { paused: false } : {}),
      ...{ ...answers, request: desk.nextRequest() },
    });
  });
  desk.release();
  return ledger;
}

/** What is still asked for when it comes to rest has nothing to act on: neither a pause, nor an accept of what is loaded. */
export async function answerAtRest(desk: Desk, { finality, reason }: DeliveryResult): Promise<void> {
  if ((desk.wishes.length === 0 && !desk.paused) || !wishesStand()) return;
  const asked = [...desk.wishes.map(({ kind }) => kind), ...(desk.paused ? ['pause'] : [])].join(' and ');
  desk.release();
  await answering(desk, (answers) =>
    record({
      ...{ id: desk.id, kind: 'answered', paused: false, ...answers, request: desk.nextRequest() },
      reason: `It is ${finality}, so there is nothing left to ${asked}. ${reason}`,
    }),
  );
  await desk.quiet();
}

/** A version is held of which nobody knew when these were asked for. */
export async function refuseEarly(desk: Desk, accepts: readonly Wish[]): Promise<void> {
  desk.answered(accepts);
  // A delivery that is cancelled must not take them for an accept of this version when it is started again.
  await CancellationScope.nonCancellable(async () => {
    await desk.quiet();
    await record({
      ...{ id: desk.id, kind: 'answered', answers: accepts.map(({ request }) => request) },
      ...{ reason: 'It was accepted before a version was held. Accept it again to publish that.' },
      request: desk.nextRequest(),
    });
  });
}

/** Takes steps that do, or refuse, all that is asked for when they begin. What is asked for meanwhile stands. */
async function answering<T>(
  desk: Desk,
  steps: (answers: { readonly answers?: readonly string[] }) => Promise<T>,
): Promise<T> {
  const { wishes } = desk;
  const outcome = await steps(wishes.length === 0 ? {} : { answers: wishes.map(({ request }) => request) });
  desk.answered(wishes);
  return outcome;
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

/**
 * The workflow was cancelled, which says nothing of the day: it stays open, and so does what was asked for. The ledger says
 * so before the workflow ends.
 */
export async function endCancelled(desk: Desk, input: DeliveryInput): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    if (!wishesStand()) {
      const skip = { kind: 'skip', reason: 'The workflow was cancelled.', request: '' } as const;
      await end(desk, deliveryOf(input), skip, undefined);
      return;
    }
    if (!desk.isOpen()) desk.opened(await openDelivery(input));
    const after = await record({
      ...{ id: desk.id, kind: 'cancelled', finality: 'waiting', unlessSettled: true, reason: whenCancelled },
      request: desk.nextRequest(),
    });
    await settled(desk, after.finality, whenCancelled);
  });
}

export const whenCancelled =
  'Its workflow was cancelled. The next discovery, a backfill or `landfall reprocess` starts it again; `landfall skip` ' +
  'or `landfall discard` ends it.';
