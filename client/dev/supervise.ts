/** Keeps a server of `landfall dev` running: says when it ends or no longer works, and starts it again, a few times. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';

import { restartsAllowed } from './restarts.js';

export interface SupervisedServer {
  /** As a sentence begins: `The Temporal dev server`. */
  readonly name: string;
  readonly logFile: string;
  /** Settles when its process has ended, with the way it ended. */
  readonly ended: () => Promise<string>;
  /** What is wrong with it, as a phrase; undefined while it works. May take as long as it likes. */
  readonly examine: () => Promise<string | undefined>;
  /** Starts it anew, whatever state it is in. */
  readonly restart: () => Promise<void>;
}

export interface Patience {
  /** Milliseconds from one examination to the next. */
  readonly every: number;
  /** Milliseconds in which an examination has to bring something. */
  readonly answersWithin: number;
  /** Milliseconds for which something may be wrong before the server is started again. */
  readonly sickFor: number;
}

const usual: Patience = { every: 1_000, answersWithin: 5_000, sickFor: 15_000 };

/** Nanoseconds for which this process may do something else before an examination counts for nothing. */
const deaf = 1_500_000_000;

export interface Supervision {
  /** Rejects when the server was started again too often. */
  readonly failed: Promise<never>;
  /** To be called before the server is stopped. */
  readonly stop: () => Promise<void>;
}

export function supervise(
  server: SupervisedServer,
  say: (line: string) => void,
  patience: Patience = usual,
): Supervision {
  const stopped = new AbortController();
  const watching = watch(server, say, patience, stopped.signal);
  const failed = watching.then(() => new Promise<never>(() => undefined));
  // Whoever asks is told; nobody has to.
  failed.catch(() => undefined);
  return {
    failed,
    stop: async () => {
      stopped.abort();
      await watching.catch(() => undefined);
    },
  };
}

async function watch(
  server: SupervisedServer,
  say: (line: string) => void,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  const { name, logFile } = server;
  const restarts = restartsAllowed();
  while (!signal.aborted) {
    const wrong = await whatGoesWrong(server, say, patience, signal);
    if (wrong === undefined) return;
    if (!restarts.take()) {
      throw new Error(
        `${name} ${wrong}, once more after ${restarts.most} restarts within ${restarts.minutes} minutes. Its log is ` +
          `${logFile}. Everything is kept: start 'landfall dev' again when the cause is mended.`,
      );
    }
    say(`${name} ${wrong}: it is started again, with what it has kept. Its log is ${logFile}.`);
    try {
      await server.restart();
      say(`${name} works again.`);
    } catch (error) {
      say(`${name} could not be started again: ${error instanceof Error ? error.message : String(error)}`);
      await pause(patience.every, signal);
    }
  }
}

/** Returns when the server needs to be started again, with the reason; undefined after the signal. */
async function whatGoesWrong(
  { name, ended, examine }: SupervisedServer,
  say: (line: string) => void,
  { every, answersWithin, sickFor }: Patience,
  signal: AbortSignal,
): Promise<string | undefined> {
  let end: string | undefined;
  const ending = ended().then((how) => (end = `has ended (${how})`));
  let sickSince: number | undefined;
  const delay = monitorEventLoopDelay();
  while (!signal.aborted) {
    const timer = new AbortController();
    delay.reset();
    delay.enable();
    const wrong = await Promise.race([
      ending,
      examine().catch((error: unknown) => `cannot be examined (${String(error)})`),
      pause(answersWithin, timer.signal).then(() => 'does not answer'),
    ]);
    timer.abort();
    delay.disable();
    if (signal.aborted) return undefined;
    if (end !== undefined) return end;
    // We did not listen ourselves: a bundle was made, or the machine is busy. That says nothing of the server.
    if (wrong !== undefined && delay.max > deaf) continue;
    const now = performance.now();
    if (wrong === undefined) {
      if (sickSince !== undefined) say(`${name} works again.`);
      sickSince = undefined;
    } else if (sickSince === undefined) {
      say(
        `${name} ${wrong}. Unless that passes within ${Math.round(sickFor / 1_000)} s it is started again.`,
      );
      sickSince = now;
    } else if (now - sickSince >= sickFor) {
      return wrong;
    }
    await Promise.race([ending, pause(every, signal)]);
  }
  return undefined;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
