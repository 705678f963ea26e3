/** An export that somebody asks Leanplum's API for: asked for once, waited for, and loaded like a job. */

import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';

import type { ExportProgress } from '../activities/leanplum-export.js';
import { statusQuery, type DeliveryResult } from '../model/control.js';
import type {
  CarriedExport,
  ExportInput,
  ExportResult,
  ExportStatus,
  StartedExport,
} from '../model/export.js';
import { failureTypes } from '../model/failure.js';
import { writeMinute } from '../vendors/completion.js';
import { exportDetails, writeExported } from './details.js';
import { rootFailure } from './step-failure.js';
import { startDelivery } from './start.js';
import { once, polling, quick } from './steps.js';

const second = 1_000;
const minute = 60 * second;

/** "Export files are automatically deleted 24 hours after export occurs": who waits longer has nothing to wait for. */
const longest = 24 * 60 * minute;
/** A delivery that ends without telling (terminated, say) is found by asking this often. */
const askEvery = 5 * minute;

const settledSignal = defineSignal<[DeliveryResult]>('settled');

/**
 * Asks Leanplum for an export of some days, asks how far it is until it is finished, and starts the delivery of its job,
 * which goes on whatever becomes of us. Ends when that has come to rest, with its result. A call that may have reached
 * Leanplum is never repeated: it counts as one of 24 a day.
 */
export async function leanplumExport(input: ExportInput): Promise<ExportResult> {
  const { source, from, to, format, carried } = input;
  const self = workflowInfo().workflowId;
  const days = from === to ? from : `${from} to ${to}`;
  let askedAt = carried?.askedAt ?? Date.now();
  let polls = carried?.polls ?? 0;
  let settled: DeliveryResult | undefined;
  let status: ExportStatus = {
    ...{ source, from, to, format, state: 'ASKING', next: 'Asks Leanplum for the export.' },
    ...(carried?.asked.exportJob === undefined ? {} : { exportJob: carried.asked.exportJob }),
    ...(carried?.counts === undefined ? {} : { counts: carried.counts }),
    ...(carried?.delivery === undefined ? {} : { delivery: carried.delivery }),
  };
  const show = (change: Partial<ExportStatus>): void => {
    status = { ...status, ...change };
    setCurrentDetails(exportDetails(status));
  };
  setHandler(
    settledSignal,
    (result) => {
      if (result.delivery === status.delivery) settled ??= result;
    },
    { description: 'The delivery came to rest.' },
  );
  setHandler(defineQuery<ExportStatus>(statusQuery), () => status, {
    description: 'How far the export is, and what happens next.',
  });
  show({});

  const goOnWhenLong = async (asked: StartedExport): Promise<void> => {
    if (!workflowInfo().continueAsNewSuggested) return;
    await condition(allHandlersFinished);
    // Told at the last moment: then there is nothing to go on with.
    if (settled) return;
    const { counts, delivery } = status;
    const next: CarriedExport = {
      ...{ askedAt, asked, polls },
      ...(counts === undefined ? {} : { counts }),
      ...(delivery === undefined ? {} : { delivery }),
    };
    await continueAsNew<typeof leanplumExport>({ ...input, carried: next });
  };

  /** As often as it certainly was not heard. */
  const ask = async (): Promise<StartedExport> => {
    for (let pause = second; ; pause = Math.min(2 * pause, 5 * minute)) {
      try {
        askedAt = Date.now();
        const step = { source, from, to, format, now: askedAt };
        return await once.askExport.executeWithOptions({ summary: `ask for an export of ${days}` }, [step]);
      } catch (error) {
        if (CancellationScope.current().consideredCancelled) throw error;
        const failure = rootFailure(error);
        if (failure?.type !== failureTypes.storeUnavailable) throw unlessKnown(error, days);
        show({ next: failure.message });
        await sleep(pause, { summary: 'ask again: Leanplum was not reached' });
      }
    }
  };

  const untilFinished = async (
    asked: StartedExport,
    exportJob: string,
  ): Promise<Extract<ExportProgress, { finished: true }>> => {
    const deadline = askedAt + longest;
    for (;;) {
      await goOnWhenLong(asked);
      const step = { source, exportJob, date: asked.date, now: Date.now() };
      const progress = await polling.exportProgress
        .executeWithOptions(
          {
            summary: `ask how far it is (${++polls})`,
            scheduleToCloseTimeout: Math.max(minute, deadline - Date.now()),
          },
          [step],
        )
        .catch((error: unknown) => {
          throw unreachable(error, exportJob);
        });
      if (progress.finished) return progress;
      const { state } = progress;
      show({ state });
      if (state === 'FAILED') {
        throw failed(
          `Leanplum could not complete the export ${exportJob} of ${days}; its state is FAILED, without a reason. ` +
            'Nothing was loaded. Ask for it anew, for fewer days at a time if it fails again: each one counts as one ' +
            'of 24 exports a day.',
        );
      }
      const now = Date.now();
      if (now >= deadline) {
        throw failed(
          `The export ${exportJob} of ${days} is ${state} still, 24 hours after it was asked for. Leanplum keeps ` +
            'results no longer than that, so it is not waited for any more. Nothing was loaded. Ask for it anew, for ' +
            'fewer days at a time.',
        );
      }
      const until = Math.min(now + pauseAfter(now - askedAt), deadline);
      show({ next: `Leanplum works on it; it is asked again at ${writeMinute(until)}.` });
      await sleep(until - now, { summary: `next look ${writeMinute(until)}, ${state}` });
    }
  };

  /** Until the delivery is at rest. */
  const untilSettled = async (asked: StartedExport, id: string): Promise<DeliveryResult> => {
    for (;;) {
      await goOnWhenLong(asked);
      const summary = 'until the delivery comes to rest';
      const told = await condition(() => settled !== undefined, input.askEvery ?? askEvery, { summary });
      if (!told) await askWhether(id);
      if (settled) return settled;
    }
  };
  const askWhether = async (id: string): Promise<void> => {
    const found = await quick.settledDeliveries.executeWithOptions(
      { summary: 'ask whether it came to rest' },
      [{ ids: [id] }],
    );
    settled ??= found.settled[0];
  };

  try {
    const asked = carried?.asked ?? (await ask());
    const { exportJob } = asked;
    if (exportJob === undefined) {
      const reason = `Leanplum has no sessions of ${days} to export. Nothing was loaded.`;
      show({ state: 'FINISHED', next: reason });
      return { reason };
    }
    show({ exportJob, next: 'Asks how far it is.' });

    if (status.delivery === undefined) {
      const { state, counts, start } = await untilFinished(asked, exportJob);
      show({ state, counts });
      if (start === undefined) {
        const reason = `Leanplum finished the export ${exportJob} of ${days}, and it has no files: there are no sessions.`;
        show({ next: reason });
        return { exportJob, counts, reason };
      }
      show({ delivery: start.workflowId, next: 'Its delivery loads it.' });
      if (!(await startDelivery(start, self))) await askWhether(start.workflowId);
    } else {
      show({ state: 'FINISHED', next: 'Its delivery loads it.' });
    }

    const { delivery: id = '', counts } = status;
    const delivery = await untilSettled(asked, id);
    await condition(allHandlersFinished);
    const brought = counts === undefined ? 'it' : writeExported(counts);
    const reason = `Leanplum exported ${brought} as ${exportJob}. Its delivery ${id} is ${delivery.finality}: ${delivery.reason}`;
    show({ next: `Nothing: its delivery is ${delivery.finality}.` });
    return { exportJob, ...(counts === undefined ? {} : { counts }), delivery, reason };
  } catch (error) {
    if (isCancellation(error)) {
      show({ next: whenCancelled(status) });
      throw error;
    }
    const failure = rootFailure(error);
    if (!failure) throw error;
    show({ next: failure.message });
    throw ApplicationFailure.nonRetryable(failure.message, failure.type ?? undefined);
  }
}

/** Every 10 seconds at first, then after a fifth of the export's age, and never more than 5 minutes apart. */
function pauseAfter(age: number): number {
  return Math.ceil(Math.min(Math.max(age / 5, 10 * second), 5 * minute));
}

function whenCancelled({ exportJob, delivery }: ExportStatus): string {
  if (delivery !== undefined) return `Nothing: it was cancelled. Its delivery ${delivery} goes on.`;
  if (exportJob === undefined) return 'Nothing: it was cancelled. Leanplum may have taken the export.';
  return `Nothing: it was cancelled. Leanplum goes on with ${exportJob}, whose results nobody loads.`;
}

function failed(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, failureTypes.exportFailed);
}

/** What our own activity says of a call that failed; of a worker that died in mid-call nobody can say anything. */
function unlessKnown(error: unknown, days: string): unknown {
  const failure = rootFailure(error);
  const known: readonly (string | null | undefined)[] = Object.values(failureTypes);
  if (known.includes(failure?.type)) return error;
  const why = failure ? ` (${failure.message})` : '';
  return failed(
    `The worker that asked Leanplum for an export of ${days} gave no answer${why}. Whether Leanplum took it nobody can tell, ` +
      'and it would count as one of 24 exports a day, so it is not repeated by itself. Ask for the export anew.',
  );
}

/** Passing faults are retried until nothing is kept any more. */
function unreachable(error: unknown, exportJob: string): unknown {
  if (!(error instanceof ActivityFailure) || error.retryState !== 'TIMEOUT') return error;
  const fault = rootFailure(error)?.message.replace(/ It is retried\.$/, '') ?? 'No worker gave an answer.';
  return failed(
    `What became of the export ${exportJob} was not to be learned for 24 hours, after which Leanplum keeps nothing of ` +
      `it. ${fault} Ask for the export anew.`,
  );
}
