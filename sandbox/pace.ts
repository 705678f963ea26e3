/**
 * Keeps a vendor on a fast clock in step with those who look at its store: what was due before a look is there when the look
 * is answered, however slow the machine is. Without it a busy machine turns "written 8 s later" into "written after
 * everybody stopped looking".
 */

import type { Clock } from './megaphone/writes.js';

export interface Pace {
  /** The clock for whoever writes: it knows when the next write is due. */
  readonly clock: Clock;
  /** Waits for something that others do. Nothing is due until then, and from then on something is. */
  readonly held: (signal: AbortSignal) => Held;
  /** Settles when nothing is overdue. */
  readonly caughtUp: () => Promise<void>;
  /** Nothing is due any more. */
  readonly finish: () => void;
}

export interface Held {
  /** Does nothing the second time. */
  readonly release: () => void;
  /** Settles after `release`; rejects when the signal is aborted. */
  readonly released: Promise<void>;
}

export function pace(clock: Clock): Pace {
  /** When the next write is due; undefined while one is under way. */
  let next: number | undefined;
  const waiting: (() => void)[] = [];
  const isBehind = (): boolean => next === undefined || clock.now() >= next;
  const idleUntil = (instant: number): void => {
    next = instant;
    for (const wake of waiting.splice(0)) wake();
  };
  return {
    clock: {
      now: () => clock.now(),
      sleep: async (ms, signal) => {
        idleUntil(clock.now() + ms);
        await clock.sleep(ms, signal);
        next = undefined;
      },
    },
    held: (signal) => {
      idleUntil(Infinity);
      let isHeld = true;
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve, reject) => {
        release = () => {
          if (!isHeld) return;
          isHeld = false;
          next = undefined;
          resolve();
        };
        const abort = (): void => {
          isHeld = false;
          reject(signal.reason as Error);
        };
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      });
      return { release, released };
    },
    caughtUp: async () => {
      while (isBehind()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    finish: () => idleUntil(Infinity),
  };
}
