/** What the commands talk to in their tests: workflows that only come to their end. */

import { condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';

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
