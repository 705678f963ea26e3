import { setTimeout } from 'node:timers/promises';

import type { WorkflowHandle } from '@temporalio/client';

import { statusQuery } from '../model/control.js';
import type { Place } from './place.js';
import { tellTroubles } from './tell-troubles.js';
import type { Terminal } from './terminal.js';

const askEvery = 2_000;

export interface Watching<S> {
  /** What it is called in an error: `The export`. */
  readonly what: string;
  /** A line about where it stands. */
  readonly tell: (status: S) => string;
  /** The delivery that it waits for. */
  readonly delivery?: (status: S) => string | undefined;
}

/**
 * Waits for a workflow to end, and says where somebody watches when its status changes, and to everybody what goes wrong.
 * Throws when it fails.
 */
export async function watchWorkflow<R, S>(
  place: Place,
  handle: WorkflowHandle,
  terminal: Terminal,
  watching: Watching<S>,
): Promise<R> {
  const end = new AbortController();
  const result = (handle.result() as Promise<R>).finally(() => end.abort());
  const workflows = async (): Promise<readonly string[]> => {
    const status = watching.delivery && (await handle.query<S>(statusQuery).catch(() => undefined));
    const delivery = status === undefined ? undefined : watching.delivery?.(status);
    return delivery === undefined ? [handle.workflowId] : [handle.workflowId, delivery];
  };
  const telling = Promise.all([
    terminal.watched ? tellStates(handle, terminal, watching, end.signal) : undefined,
    tellTroubles(place, workflows, (line) => terminal.err(`${line}\n`), end.signal),
  ]);
  try {
    return await result;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const why = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
    throw new Error(`${watching.what} ${handle.workflowId} did not come to its end: ${why}.`, {
      cause: error,
    });
  } finally {
    await telling;
  }
}

async function tellStates<S>(
  handle: WorkflowHandle,
  terminal: Terminal,
  { tell }: Watching<S>,
  end: AbortSignal,
): Promise<void> {
  let told = '';
  while (!end.aborted) {
    try {
      const now = tell(await handle.query<S>(statusQuery));
      if (now !== told) terminal.err(`${now}\n`);
      told = now;
    } catch {
      // A query needs a worker that answers; the result is awaited all the same.
    }
    await setTimeout(askEvery, undefined, { signal: end }).catch(() => undefined);
  }
}
