/** Runs at once what the schedules run, for each source by itself: what is wrong with one holds up no other. */

import { setTimeout } from 'node:timers/promises';

import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import { workflowTypes } from '../../model/control.js';
import type { Place } from '../place.js';
import { scheduleId } from '../setup/schedule.js';
import { withTemporal } from '../with-temporal.js';
import { patiently } from './patiently.js';

const askEvery = 500;
/** Milliseconds for which a source may fail before nobody waits for it; it is tried on by itself. */
const faultyFor = 60_000;

/** Ids of the deliveries that were started. Throws an error that says what is wrong with the source. */
export async function lookForDeliveries(
  place: Place,
  source: string,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return patiently(
    () =>
      withTemporal(place, async ({ client }) => {
        const handle = await client.workflow.start(workflowTypes.discover, {
          workflowId: scheduleId(source),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue: place.config.temporal.taskQueue,
          args: [{ source }],
        });
        await untilEnded(handle, tell, signal);
        const { started } = (await handle.result().catch((error: unknown) => {
          throw sentenceOf(error);
        })) as { readonly started: readonly string[] };
        return started;
      }),
    signal,
  );
}

/** Says what its steps fail for, which Temporal repeats. */
async function untilEnded(
  handle: WorkflowHandle,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let told: string | undefined;
  let faultySince: number | undefined;
  for (;;) {
    const described = await handle.describe();
    if (described.status.name !== 'RUNNING') return;
    const fault = faultOf(described);
    if (fault !== undefined) {
      faultySince ??= performance.now();
      if (performance.now() - faultySince > faultyFor)
        throw new Error(`${fault} It is tried again by itself.`);
      if (fault !== told) tell(`${fault} It is tried again.`);
      told = fault;
    }
    signal.throwIfAborted();
    await setTimeout(askEvery, undefined, { signal });
  }
}

function faultOf({ raw }: WorkflowExecutionDescription): string | undefined {
  const [step] = raw.pendingActivities ?? [];
  return step?.lastFailure?.message ?? undefined;
}

/** The error of the step by which the workflow failed: what follows is its cause in a library's words. */
function sentenceOf(error: unknown): unknown {
  if (error instanceof ApplicationFailure || !(error instanceof Error)) return error;
  return error.cause === undefined ? error : sentenceOf(error.cause);
}
