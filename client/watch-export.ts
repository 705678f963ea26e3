import { setTimeout } from 'node:timers/promises';

import type { WorkflowHandle } from '@temporalio/client';

import { statusQuery } from '../model/control.js';
import type { ExportResult, ExportStatus } from '../model/export.js';
import type { Terminal } from './terminal.js';

const askEvery = 2_000;

/** Waits for an export to end, and says where somebody watches when its state changes. Throws when it fails. */
export async function watchExport(handle: WorkflowHandle, terminal: Terminal): Promise<ExportResult> {
  const end = new AbortController();
  const result = (handle.result() as Promise<ExportResult>).finally(() => end.abort());
  const watching = terminal.watched ? tellStates(handle, terminal, end.signal) : Promise.resolve();
  try {
    return await result;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const why = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
    throw new Error(`The export ${handle.workflowId} did not come to its end: ${why}.`, { cause: error });
  } finally {
    await watching;
  }
}

async function tellStates(handle: WorkflowHandle, terminal: Terminal, end: AbortSignal): Promise<void> {
  let told = '';
  while (!end.aborted) {
    try {
      const { state, exportJob, delivery } = await handle.query<ExportStatus>(statusQuery);
      const now =
        delivery === undefined
          ? `${state}${exportJob === undefined ? '' : ` (${exportJob})`}`
          : `loading ${delivery}`;
      if (now !== told) terminal.err(`${now}\n`);
      told = now;
    } catch {
      // A query needs a worker that answers; the result is awaited all the same.
    }
    await setTimeout(askEvery, undefined, { signal: end }).catch(() => undefined);
  }
}
