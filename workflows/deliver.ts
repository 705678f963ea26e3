/** The life of a delivery, whatever its vendor: look, decide by the vendor's rule, and do what was decided. */

import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';

import { deliveryOf, type DeliveryInput, type DeliveryResult } from '../model/control.js';
import type { Delivery } from '../model/delivery.js';
import { failureTypes } from '../model/failure.js';
import {
  interval,
  type Asked,
  type Clock,
  type Decision,
  type Sighting,
  type Standing,
  type Watch,
} from '../vendors/completion.js';
import type { LookedAt } from '../vendors/vendor.js';
import { openDesk } from './desk.js';
import { acceptHeld, isBack, staysHeld } from './held.js';
import { load, rootFailure, waitsForVendor } from './load.js';
import { confirm, end, endCancelled, fail, giveUp, note, settled } from './settle.js';
import { abandon, long, openDelivery } from './steps.js';

/** A plan that did not hold is made anew after seconds at first, then minutes: the vendor may still be writing. */
const replanPauses = [1_000, 10_000, 60_000, 300_000];
/** Postgres that crashes again and again is left a minute at the most: once it is back nothing else is waited for. */
const longestWithoutStaging = 60_000;

/** What is the vendor's own in the life of its deliveries. */
export interface Contract<S extends Sighting> {
  /** What the timeline calls the thing that is looked for. */
  readonly looksFor: string;
  readonly decide: (sighting: S, ledger: Standing, clock: Clock, asked: Asked, watch?: Watch) => Decision;
  /** Until when a file that cannot be read is waited for to be written anew, in epoch ms. Default: the deadline. */
  readonly mendedBy?: (sighting: S) => number;
  /** What else is to be begun once the delivery has come to rest. */
  readonly atRest?: (result: DeliveryResult) => Promise<void>;
}

/**
 * Waits with durable timers until the vendor's rule lets the delivery be loaded, loads it whole, as often as the rule
 * asks for it, and ends when it is final; or ends skipped, discarded or failed. Whatever happens in between, readers see
 * the earlier version or the new one, and the ledger says which. A delivery that never came is a result; one that cannot
 * be loaded is a failed workflow.
 */
export async function deliver<S extends Sighting>(
  input: DeliveryInput,
  contract: Contract<S>,
): Promise<DeliveryResult> {
  const desk = openDesk(input);
  const { listing } = long(input.heartbeatTimeout);
  const deleteFiles = (delivery: Delivery): Promise<boolean> =>
    listing.deleteDiscarded.executeWithOptions({ summary: 'delete its files from the store' }, [delivery]);
  const delivery = deliveryOf(input);
  const waitingSince = input.carried?.waitingSince ?? Date.now();
  let looks = input.carried?.looks ?? 0;
  let loads = input.carried?.loads ?? 0;
  let watch = input.carried?.watch;
  // That a final day changed is said of every version until it is final again.
  let notice = input.carried?.notice;
  let replans = 0;
  let noted: string | undefined;

  const clock = (): Clock => ({
    now: Date.now(),
    deadline: input.deadline,
    waitingSince,
    pollEvery: input.pollEvery,
    ...(input.closesAt === undefined ? {} : { closesAt: input.closesAt }),
    ...(input.settleFor === undefined ? {} : { settleFor: input.settleFor }),
  });

  const lookedAt = (): LookedAt => {
    const { now, pollEvery, closesAt } = clock();
    return {
      ...{ now, pollEvery },
      ...(closesAt === undefined ? {} : { closesAt }),
      ...(watch === undefined ? {} : { watch }),
    };
  };

  /** Returns only when somebody wanted an ending while the ledger was still being written: that is this run's to do. */
  const goOn = async (): Promise<void> => {
    await desk.quiet();
    if (desk.ending()) return;
    const { force, accepted, paused } = desk;
    const carried = {
      ...{ waitingSince, force, accepted, paused, looks, loads, notify: [...desk.notify] },
      ...(accepted ? { acceptedBecause: desk.acceptedBecause } : {}),
      ...(watch ? { watch } : {}),
      ...(notice === undefined ? {} : { notice }),
    };
    await continueAsNew<(input: DeliveryInput) => Promise<DeliveryResult>>({ ...input, carried });
  };

  try {
    let ledger = await openDelivery(input);
    desk.opened(ledger);
    let result: DeliveryResult | undefined;

    for (;;) {
      // What is asked for while the delivery comes to rest is still ours to do.
      if (result && !desk.hasNews()) await contract.atRest?.(result);
      if (result && !desk.hasNews()) return result;
      if (result) ledger = await openDelivery(input);
      result = undefined;
      if (workflowInfo().continueAsNewSuggested) await goOn();
      await desk.whileRunning();
      desk.takeNews();
      const ending = desk.ending();
      if (ending) {
        result = await end(desk, delivery, ending);
        continue;
      }

      const { held } = ledger;
      const accepted = desk.accepted ? held : undefined;
      let sighting: S | undefined;
      let decision: Decision;
      if (accepted) {
        decision = acceptHeld(accepted, desk.acceptedBecause);
      } else {
        sighting = (await listing.look.executeWithOptions(
          { summary: `look for ${contract.looksFor} (${++looks})` },
          [{ delivery, ...lookedAt(), ...(ledger.published ? { compare: true } : {}) }],
        )) as S;
        if (desk.hasNews()) continue;
        decision = contract.decide(sighting, ledger, clock(), desk, watch);
      }
      watch = decision.watch;

      if (held && sighting && !desk.force) {
        if (isBack(held, sighting, ledger)) {
          await abandon(desk.id, 'The store shows the version again that readers see.');
          ledger = await openDelivery(input);
        } else if (staysHeld(held, decision, sighting)) {
          desk.show({ finality: ledger.finality, next: held.why });
          const pause = interval({ ...clock(), waitingSince: held.since });
          await desk.waitUntil(
            Date.now() + pause,
            'a version is held: until somebody accepts it, or another comes',
          );
          continue;
        }
      }

      if (decision.step === 'rest') {
        result = await settled(desk, ledger.finality, decision.reason);
        continue;
      }
      if (decision.step === 'giveUp') {
        const { as: finality, reason } = decision;
        ledger = await giveUp(desk, finality, reason);
        const deleted = finality === 'discarded' && input.deleteDiscarded === true;
        // Its manifest may have come while we gave it up: then it is looked at again.
        if (deleted && !(await deleteFiles(delivery))) continue;
        result = await settled(desk, finality, reason);
        continue;
      }
      if (decision.step === 'settle') {
        ledger = await confirm(desk, decision.reason);
        desk.accepted = false;
        result = await settled(desk, ledger.finality, decision.reason, desk.counts());
        continue;
      }
      if (decision.step === 'wait') {
        // The ledger hears it once, the Web UI at every look: three days of looks stay under 500 events.
        if (decision.note !== undefined && decision.note !== noted && !ledger.published) {
          ledger = await note(desk, 'waiting', decision.note);
        }
        noted = decision.note;
        desk.show({ finality: ledger.published ? ledger.finality : 'waiting', next: decision.reason });
        await desk.waitUntil(decision.until, decision.summary);
        continue;
      }

      ledger = await note(desk, 'loading', decision.reason);
      notice = decision.notice ?? notice;
      // A reprocess that comes from here on asks for another load than this one.
      const force = desk.force;
      desk.force = false;
      const outcome = await load(desk, input, {
        request: `${workflowInfo().firstExecutionRunId}/load-${loads}`,
        force,
        ...(decision.marker ? { marker: decision.marker } : {}),
        ...(decision.take ? { take: decision.take } : {}),
        ...(decision.upTo === undefined ? {} : { upTo: decision.upTo }),
        finality: decision.finality,
        reason: decision.reason,
        ...(notice === undefined ? {} : { notice }),
        ...(accepted ? { held: { loadId: accepted.loadId, accepted: desk.acceptedBecause } } : {}),
      });
      // A load that was held may be given up by now, and this one be held instead.
      if (outcome.kind === 'held' || (held && outcome.kind !== 'published'))
        ledger = await openDelivery(input);
      if (outcome.kind === 'held') {
        loads += 1;
        replans = 0;
        // Who spoke before did not know of it.
        desk.accepted = false;
        continue;
      }
      if (outcome.kind !== 'published') desk.force ||= force;
      if (outcome.kind === 'continue') {
        await goOn();
        continue;
      }
      loads += 1;
      if (outcome.kind === 'published') {
        const { finality } = decision;
        replans = 0;
        desk.accepted = false;
        desk.show({ finality, counts: outcome.counts, notice: outcome.notice });
        await desk.quiet();
        if (finality === 'final' && !desk.hasNews()) {
          notice = undefined;
          result = await settled(desk, 'final', outcome.reason, outcome.counts);
        } else {
          ledger = await openDelivery(input);
        }
      }
      if (outcome.kind === 'again') {
        const vendor = waitsForVendor(outcome.type);
        if (vendor && Date.now() >= ((sighting && contract.mendedBy?.(sighting)) ?? input.deadline)) {
          throw ApplicationFailure.nonRetryable(outcome.reason, outcome.type);
        }
        const usual = vendor ? interval(clock()) : (replanPauses[replans++] ?? replanPauses.at(-1) ?? 0);
        const lost = outcome.type === failureTypes.stagingLost;
        const pause = lost ? Math.min(usual, longestWithoutStaging) : usual;
        desk.show({ next: outcome.reason });
        await desk.waitUntil(Date.now() + pause, `plan again: ${outcome.type}`);
      }
    }
  } catch (error) {
    if (isCancellation(error)) await endCancelled(desk, delivery);
    const failure = rootFailure(error);
    if (!failure) throw error;
    await CancellationScope.nonCancellable(() => fail(desk, failure.message));
    throw ApplicationFailure.nonRetryable(failure.message, failure.type ?? undefined);
  }
}
