/** What the commands talk to in their tests: workflows that only come to their end. */

import { ApplicationFailure, condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';

import { countDays } from '../../model/day.js';
import type { ExportInput, ExportResult } from '../../model/export.js';
import type { BackfillInput, BackfillStatus, SignalArgument } from '../../model/control.js';

/** The first delivery of a range fails, the second is left alone, the others are final. */
export async function backfill({ source, to, types }: BackfillInput): Promise<BackfillStatus> {
  const status: BackfillStatus = {
    days: 2,
    daysDone: 2,
    started: 3,
    leftAlone: 1,
    settled: { final: 2, failed: 1 },
    failed: [`${source}/${types[0] ?? ''}/${to}`],
    inFlight: [],
    done: true,
  };
  setHandler(defineQuery<BackfillStatus>('status'), () => status);
  return Promise.resolve(status);
}

/** Of one day it lands, of two it fails, of more its delivery fails; as CSV there is nothing. */
export async function leanplumExport({ source, from, to, format }: ExportInput): Promise<ExportResult> {
  const id = `${source}/37e812c0-d66e-48a2-8812-27ee12d58b58`;
  const days = countDays(from, to);
  if (format === 'csv') return Promise.resolve({ reason: 'Leanplum has no sessions of that day.' });
  if (days === 2) {
    throw ApplicationFailure.nonRetryable('Leanplum could not complete the export.', 'ExportFailed');
  }
  const finality = days === 1 ? 'final' : 'failed';
  return Promise.resolve({
    ...{ exportJob: 'export_1_2', counts: { files: 1, sessions: 101 } },
    delivery: { delivery: id, finality, reason: 'Because.' },
    reason: `Its delivery ${id} is ${finality}: Because.`,
  });
}

/** Ends with what it was sent first. */
export async function optimizely(): Promise<string> {
  let sent: string | undefined;
  for (const signal of ['reprocess', 'accept', 'skip', 'discard', 'pause', 'resume']) {
    setHandler(defineSignal<[SignalArgument]>(signal), ({ reason }) => {
      sent ??= `${signal}: ${reason}`;
    });
  }
  await condition(() => sent !== undefined);
  return sent ?? '';
}
