/** An Optimizely delivery: one type and UTC day, complete when `_SUCCESS` stands beside its parts. */

import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';

import type { DeliveryInput, DeliveryResult } from '../model/control.js';
import { decide, interval } from '../vendors/optimizely/completion.js';
import { openDesk } from './desk.js';
import { load, rootFailure, waitsForVendor } from './load.js';
import { end, endCancelled, fail, note, settled } from './settle.js';
import { long, openDelivery } from './steps.js';

/** A plan that did not hold is made anew after seconds at first, then minutes: the vendor may still be writing. */
const replanPauses = [1_000, 10_000, 60_000, 300_000];

/**
 * Waits for the marker with durable timers until the deadline, loads the day whole, and ends when it is final; or ends
 * skipped, discarded or failed. Whatever happens in between, readers see the earlier version or the new one, and the
 * ledger says which. A delivery that never came is a result; one that cannot be loaded is a failed workflow.
 */
export async function optimizely(input: DeliveryInput): Promise<DeliveryResult> {
  const desk = openDesk(input);
  const { listing } = long(input.heartbeatTimeout);
  const waitingSince = input.carried?.waitingSince ?? Date.now();
  let looks = input.carried?.looks ?? 0;
  let loads = input.carried?.loads ?? 0;
  let replans = 0;
  let noted = false;

  /** Returns only when somebody wanted an ending while the ledger was still being written: that is this run's to do. */
  const goOn = async (): Promise<void> => {
    await desk.quiet();
    if (desk.ending()) return;
    const { force, accepted, paused } = desk;
    const carried = { waitingSince, force, accepted, paused, looks, loads, notify: [...desk.notify] };
    await continueAsNew<typeof optimizely>({ ...input, carried });
  };

  try {
    let ledger = await openDelivery(input);
    desk.opened();
    let result: DeliveryResult | undefined;

    for (;;) {
      // What is asked for while the delivery comes to rest is still ours to do.
      if (result && !desk.hasNews()) return result;
      if (result) ledger = await openDelivery(input);
      result = undefined;
      if (workflowInfo().continueAsNewSuggested) await goOn();
      await desk.whileRunning();
      desk.takeNews();
      const ending = desk.ending();
      if (ending) {
        result = await end(desk, input, ending);
        continue;
      }

      const sighting = await listing.look.executeWithOptions({ summary: `look for _SUCCESS (${++looks})` }, [
        { source: input.source, type: input.type, date: input.date },
      ]);
      if (desk.hasNews()) continue;
      const clock = { now: Date.now(), deadline: input.deadline, waitingSince, pollEvery: input.pollEvery };
      const decision = decide(sighting, ledger, clock, desk);

      if (decision.step === 'rest') {
        result = await settled(desk, ledger.finality, decision.reason);
        continue;
      }
      if (decision.step === 'giveUp') {
        result = await fail(desk, decision.reason);
        continue;
      }
      if (decision.step === 'wait') {
        // The ledger hears it once, the Web UI at every look: three days of looks stay under 500 events.
        if (!noted)
          ledger = await note(
            desk,
            'waiting',
            `${sighting.awaited} is awaited until ${minute(input.deadline)}.`,
          );
        noted = true;
        desk.show({ finality: 'waiting', next: decision.reason });
        await desk.waitUntil(decision.until, `next look ${minute(decision.until)}, no _SUCCESS yet`);
        continue;
      }

      ledger = await note(
        desk,
        'loading',
        decision.marker ? '_SUCCESS is there.' : 'Accepted without _SUCCESS.',
      );
      // A reprocess that comes from here on asks for another load than this one.
      const force = desk.force;
      desk.force = false;
      const outcome = await load(desk, input, {
        request: `${workflowInfo().firstExecutionRunId}/load-${loads}`,
        force,
        ...(decision.marker ? { marker: decision.marker } : {}),
        finality: 'final',
      });
      if (outcome.kind !== 'published') desk.force ||= force;
      if (outcome.kind === 'continue') {
        await goOn();
        continue;
      }
      loads += 1;
      if (outcome.kind === 'published') {
        desk.accepted = false;
        desk.show({ finality: 'final', counts: outcome.counts });
        await desk.quiet();
        if (desk.hasNews()) ledger = await openDelivery(input);
        else result = await settled(desk, 'final', outcome.reason, outcome.counts);
      }
      if (outcome.kind === 'again') {
        const vendor = waitsForVendor(outcome.type);
        if (vendor && Date.now() >= input.deadline) {
          throw ApplicationFailure.nonRetryable(outcome.reason, outcome.type);
        }
        const pause = vendor
          ? interval({ ...clock, now: Date.now() })
          : replanPauses[Math.min(replans++, replanPauses.length - 1)];
        desk.show({ next: outcome.reason });
        await desk.waitUntil(Date.now() + (pause ?? 0), `plan again: ${outcome.type}`);
      }
    }
  } catch (error) {
    if (isCancellation(error)) await endCancelled(desk, input);
    const failure = rootFailure(error);
    if (!failure) throw error;
    await CancellationScope.nonCancellable(() => fail(desk, failure.message));
    throw ApplicationFailure.nonRetryable(failure.message, failure.type ?? undefined);
  }
}

/** `2026-11-20 14:30Z` */
function minute(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
