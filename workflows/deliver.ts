/** The life of a delivery, whatever its vendor: look, decide by the vendor's rule, and do what was decided. */

import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  log,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';

import { deliveryOf, type DeliveryInput, type DeliveryResult } from '../model/control.js';
import { failureTypes, lookedAtLast } from '../model/failure.js';
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
import { load, waitsForVendor } from './load.js';
import { wishesStand } from './patches.js';
import {
  answerAtRest,
  confirm,
  end,
  endCancelled,
  fail,
  giveUp,
  note,
  refuseEarly,
  settled,
  whenCancelled,
} from './settle.js';
import { isPassing, rootFailure } from './step-failure.js';
import { abandon, long, openDelivery } from './steps.js';
import { untilAsked } from './until-asked.js';

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
 *
 * What a person asks for stands until it is done, or refused with a reason: whatever a step ends with, it comes first.
 */
export async function deliver<S extends Sighting>(
  input: DeliveryInput,
  contract: Contract<S>,
): Promise<DeliveryResult> {
  const desk = openDesk(input);
  const { listing } = long(input.heartbeatTimeout);
  const delivery = deliveryOf(input);
  const deleteFiles = (): Promise<boolean | undefined> =>
    untilAsked(
      desk,
      () =>
        listing.deleteDiscarded.executeWithOptions({ summary: 'delete its files from the store' }, [
          delivery,
        ]),
      wishesStand,
    );
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

  const nextPause = (): number => replanPauses[replans++] ?? replanPauses.at(-1) ?? 0;

  /** Returns only when somebody wanted an ending while the ledger was still being written: that is this run's to do. */
  const goOn = async (): Promise<void> => {
    await desk.quiet();
    if (desk.ending()) return;
    const { wishes, force, accepted, paused } = desk;
    const carried = {
      ...{ waitingSince, wishes, force, accepted, paused, looks, loads, notify: [...desk.notify] },
      ...(watch ? { watch } : {}),
      ...(notice === undefined ? {} : { notice }),
    };
    await continueAsNew<(input: DeliveryInput) => Promise<DeliveryResult>>({ ...input, carried });
  };

  /** Until it comes to rest. */
  const live = async (): Promise<DeliveryResult> => {
    let ledger = await openDelivery(input);
    if (!desk.isOpen()) desk.opened(ledger);
    let result: DeliveryResult | undefined;

    for (;;) {
      // What is asked for while the delivery comes to rest is still ours to do.
      if (result && !desk.hasNews()) await contract.atRest?.(result);
      if (result && !desk.hasNews()) await answerAtRest(desk, result);
      if (result && !desk.hasNews()) return result;
      if (result) ledger = await openDelivery(input);
      result = undefined;
      if (workflowInfo().continueAsNewSuggested) await goOn();
      await desk.whileRunning();
      // What is asked for is in the ledger before anything is done about it.
      if (desk.wishes.length > 0 && wishesStand()) await desk.quiet();
      desk.takeNews();
      const ending = desk.ending();
      if (ending) {
        result = await end(desk, delivery, ending, ledger);
        continue;
      }

      const { held } = ledger;
      // Of two things that were asked for the newest says what becomes of it.
      const accepted = desk.wishes.at(-1)?.kind === 'accept' ? held : undefined;
      let sighting: S | undefined;
      let decision: Decision;
      if (accepted) {
        decision = acceptHeld(accepted, desk.acceptedBecause);
      } else {
        const summary = `look for ${contract.looksFor} (${++looks})`;
        const compare = ledger.published ? { compare: true } : {};
        const look = (): Promise<S> =>
          listing.look.executeWithOptions({ summary }, [
            { delivery, ...lookedAt(), ...compare },
          ]) as Promise<S>;
        sighting = await untilAsked(desk, look, wishesStand);
        if (sighting === undefined || desk.hasNews()) continue;
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
        if (deleted && (await deleteFiles()) !== true) continue;
        result = await settled(desk, finality, reason);
        continue;
      }
      if (decision.step === 'settle') {
        ledger = await confirm(desk, decision.reason);
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
      // What is asked for from here on asks for another load than this one.
      const { wishes, force } = desk;
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
        answers: wishes.map(({ request }) => request),
      });
      if (outcome.kind === 'held') {
        loads += 1;
        replans = 0;
        // What was asked for before is done with it, and who accepted before did not know of it.
        desk.answered(wishes);
        const early = desk.wishes.filter(({ kind }) => kind === 'accept');
        if (wishesStand()) desk.show({ finality: ledger.finality, next: 'Looks into the store.' });
        if (early.length > 0) await refuseEarly(desk, early);
        ledger = await openDelivery(input);
        continue;
      }
      // A load that was held may be given up by now.
      if (held && outcome.kind !== 'published') ledger = await openDelivery(input);
      if (outcome.kind === 'continue') {
        await goOn();
        continue;
      }
      loads += 1;
      if (outcome.kind === 'published') {
        const { finality } = decision;
        replans = 0;
        desk.answered(wishes);
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
          throw ApplicationFailure.nonRetryable(lookedAtLast(outcome.reason), outcome.type);
        }
        const usual = vendor ? interval(clock()) : nextPause();
        const lost = outcome.type === failureTypes.stagingLost;
        const pause = lost ? Math.min(usual, longestWithoutStaging) : usual;
        desk.show({ next: outcome.reason });
        await desk.waitUntil(Date.now() + pause, `plan again: ${outcome.type}`);
      }
    }
  };

  /** What a step ended with does not end the delivery: it goes on, after a pause where nobody asked for anything. */
  const goesOnAfter = async (error: unknown): Promise<boolean> => {
    // A fault of the program is none of a step.
    if (!(error instanceof TemporalFailure) || !wishesStand()) return false;
    if (desk.hasNews()) {
      desk.takeNews();
      return true;
    }
    if (!isPassing(error)) return false;
    const why = rootFailure(error)?.message ?? String(error);
    log.warn(`A step ended and was not tried again; the delivery goes on: ${why}`, { delivery: input.id });
    desk.show({ next: why });
    await desk.waitUntil(Date.now() + nextPause(), 'go on');
    return true;
  };

  /** The ledger says why, and refuses what was asked for until now. */
  const failWith = async (reason: string): Promise<void> => {
    // It may be there from an earlier run; if it is not, nothing is to be written.
    if (!desk.isOpen()) desk.opened(undefined);
    await CancellationScope.nonCancellable(() => fail(desk, reason)).catch((error: unknown) => {
      const why = rootFailure(error)?.message ?? String(error);
      log.error(`The ledger does not say that it failed: ${why}`, { delivery: input.id });
    });
  };

  for (;;) {
    try {
      return await live();
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      const isCancelled = CancellationScope.current().consideredCancelled;
      if (isCancellation(error) || (isCancelled && wishesStand())) {
        await endCancelled(desk, input);
        throw isCancellation(error) ? error : new CancelledFailure(whenCancelled);
      }
      if (await goesOnAfter(error)) continue;
      const failure = rootFailure(error);
      if (!failure) throw error;
      await failWith(failure.message);
      if (desk.hasNews() && (await goesOnAfter(error))) continue;
      const left = desk.wishes.map(({ kind, reason }) => ` Asked for and not done: ${kind} (${reason}).`);
      throw ApplicationFailure.nonRetryable(failure.message + left.join(''), failure.type ?? undefined);
    }
  }
}
