import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { setTimeout } from 'node:timers/promises';

import { findSource } from '../config/find-source.js';
import {
  backfillsOf,
  stopSignal,
  workflowTypes,
  type BackfillStatus,
  type SignalArgument,
} from '../model/control.js';
import { backfillIdOf } from './backfill.js';
import { hasWorker, noWorkerNote } from './has-worker.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode } from './session.js';
import { UsageError } from './usage-error.js';
import { workflowLink } from './web-ui.js';
import { withTemporal, type TemporalSession } from './with-temporal.js';

export interface StopRequest {
  readonly source: string;
  /** The backfill of this range alone; every one of the source that runs where there is none. */
  readonly range?: { readonly from: string; readonly to: string; readonly type?: string };
  readonly reason: string;
}

/** A backfill that was stopped, with where it stood; without where no worker has answered yet. */
interface StoppedBackfill extends Partial<
  Pick<BackfillStatus, 'days' | 'daysDone' | 'started' | 'inFlight'>
> {
  readonly workflowId: string;
  readonly reason: string;
  readonly webUi?: string;
}

const answersWithin = 30_000;

/** Ends backfills that run. What they have started goes on. */
export async function stopBackfills(place: Place, request: StopRequest, output: Output): Promise<ExitCode> {
  const reason = request.reason.trim();
  if (reason === '') throw new UsageError('--reason is empty. Say why: it is kept with the backfill.');
  const { name } = findSource(place.config.sources, request.source);
  return withTemporal<ExitCode>(place, async (session) => {
    const ids =
      request.range === undefined
        ? await runningBackfills(session, name)
        : [backfillIdOf(place, { source: name, ...request.range })];
    const answers = await hasWorker(session, place.config.temporal.taskQueue);
    if (!answers) output.note(noWorkerNote(place.config.temporal.taskQueue));
    const stopped: StoppedBackfill[] = [];
    for (const id of ids) {
      const handle = session.client.workflow.getHandle(id);
      if (!(await send(handle, { reason }))) continue;
      const webUi = workflowLink(place, session.namespace, id);
      const status = answers ? await endOf(handle) : undefined;
      stopped.push({ workflowId: id, reason, ...status, ...(webUi === undefined ? {} : { webUi }) });
    }
    if (stopped.length === 0) {
      throw new Error(
        `No ${request.range ? 'such backfill' : 'backfill'} of ${name} is running: nothing was stopped.`,
      );
    }
    output.result(stopped, () => stopped.map(writeStopped).join('\n'));
    return 0;
  });
}

/** Ids of a source's backfills that run. */
async function runningBackfills({ client }: TemporalSession, source: string): Promise<string[]> {
  const query = `WorkflowType = '${workflowTypes.backfill}' AND ExecutionStatus = 'Running'`;
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (workflowId.startsWith(backfillsOf(source))) ids.push(workflowId);
  }
  return ids.sort();
}

/** False: it does not run (any more). */
async function send(handle: WorkflowHandle, argument: SignalArgument): Promise<boolean> {
  try {
    await handle.signal(stopSignal, argument);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** How it stood when it ended; undefined when its worker does not answer in time. */
async function endOf(handle: WorkflowHandle): Promise<Partial<BackfillStatus> | undefined> {
  for (const deadline = Date.now() + answersWithin; Date.now() < deadline;) {
    if ((await handle.describe()).status.name === 'RUNNING') {
      await setTimeout(200);
      continue;
    }
    const { days, daysDone, started, inFlight } = (await handle.result()) as BackfillStatus;
    return { days, daysDone, started, inFlight };
  }
  return undefined;
}

function writeStopped({ workflowId, reason, days, daysDone, inFlight = [], webUi }: StoppedBackfill): string {
  const stands =
    days === undefined
      ? `Asked ${workflowId} to stop; it does so as soon as a worker has it.`
      : `Stopped ${workflowId} after ${daysDone} of ${days} days.`;
  return [
    `${stands} Reason: ${reason}`,
    ...(days === undefined ? [] : [inFlight.length === 0 ? 'Nothing of it is in flight.' : 'These go on:']),
    ...inFlight.map((id) => `  ${id}`),
    ...(webUi === undefined ? [] : [`Web UI: ${webUi}`]),
  ].join('\n');
}
