import { setTimeout } from 'node:timers/promises';

import type { WorkflowHandle } from '@temporalio/client';
import cliProgress from 'cli-progress';

import { statusQuery, type BackfillStatus } from '../model/control.js';
import type { Place } from './place.js';
import { tellTroubles } from './tell-troubles.js';
import type { Terminal } from './terminal.js';

const askEvery = 1_000;

/**
 * Waits for a backfill to end, with a progress bar where somebody watches, and says what goes wrong with it and with its
 * deliveries. Throws when its workflow itself fails.
 */
export async function watchBackfill(
  place: Place,
  handle: WorkflowHandle,
  terminal: Terminal,
): Promise<BackfillStatus> {
  const end = new AbortController();
  const result = (handle.result() as Promise<BackfillStatus>).finally(() => end.abort());
  let inFlight: readonly string[] = [];
  const workflows = async (): Promise<readonly string[]> => {
    // A query needs a worker that answers.
    const status = await handle.query<BackfillStatus>(statusQuery).catch(() => undefined);
    inFlight = status?.inFlight ?? inFlight;
    return [handle.workflowId, ...inFlight];
  };
  // Over the bar, which is drawn again below.
  const tell = (line: string): void => terminal.err(`${terminal.watched ? '\r\x1b[K' : ''}${line}\n`);
  const watching = Promise.all([
    terminal.watched ? showProgress(handle, end.signal) : undefined,
    tellTroubles(place, workflows, tell, end.signal),
  ]);
  try {
    return await result;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `The backfill ${handle.workflowId} did not come to its end: ${why}. Deliveries that it started go on; start it ` +
        `again for the others.`,
      { cause: error },
    );
  } finally {
    await watching;
  }
}

async function showProgress(handle: WorkflowHandle, end: AbortSignal): Promise<void> {
  const bar = new cliProgress.SingleBar(
    {
      format:
        '{bar} {value} of {total} days, {settled} deliveries at rest, {inFlight} in flight, {failed} failed, ' +
        '{duration_formatted}',
      stream: process.stderr,
      hideCursor: true,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1, 0, { settled: 0, inFlight: 0, failed: 0 });
  for (;;) {
    const last = end.aborted;
    try {
      // A backfill that has ended answers as well, so the bar ends full.
      const status = await handle.query<BackfillStatus>(statusQuery);
      bar.setTotal(status.days);
      bar.update(status.daysDone, {
        settled: countSettled(status),
        inFlight: status.inFlight.length,
        failed: status.settled.failed ?? 0,
      });
    } catch {
      // A query needs a worker that answers; the result is awaited all the same.
    }
    if (last) break;
    await setTimeout(askEvery, undefined, { signal: end }).catch(() => undefined);
  }
  bar.stop();
}

function countSettled({ leftAlone, settled }: BackfillStatus): number {
  return Object.values(settled).reduce((sum, count) => sum + count, leftAlone);
}
