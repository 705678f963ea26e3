/** The worker that `landfall dev` runs within itself. */

import { setTimeout } from 'node:timers/promises';

import type { Config } from '../../config/schema.js';
import type { RunOptions, RunningWorker } from '../../worker/run.js';
import { restartsAllowed } from './restarts.js';
import type { Sandbox } from './servers.js';

const pause = 1_000;

/** Starts it, and starts another one where it ends by itself, as it does when Temporal no longer knows its namespace. */
export async function bringWorker(
  { defer, fail, progress }: Sandbox,
  config: Config,
  access: RunOptions,
): Promise<void> {
  const { startWorker } = await import('../../worker/run.js');
  const stopped = new AbortController();
  const restarts = restartsAllowed();
  let running: RunningWorker | undefined = await startWorker(config, access);
  const keepRunning = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        running ??= await startWorker(config, access);
        await running.done;
        if (stopped.signal.aborted) return;
        progress('The worker has ended. Another one is started.');
      } catch (error) {
        if (stopped.signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        if (!restarts.take()) throw new Error(`The worker has ended again: ${why}`, { cause: error });
        progress(`The worker has ended: ${why} Another one is started.`);
      }
      running = undefined;
      await setTimeout(pause, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const done = keepRunning();
  done.catch(fail);
  defer(async () => {
    stopped.abort();
    running?.stop();
    await done.catch(() => undefined);
  });
}
