import type { Clock } from '../../../sandbox/megaphone/writes.js';

/** A clock that stands still until somebody moves it. */
export interface ManualClock extends Clock {
  /** Moves it on; whoever has slept so long wakes up. */
  readonly advance: (ms: number) => void;
  /** How long those who sleep have to, in milliseconds, shortest first. */
  readonly sleeping: () => readonly number[];
}

export function manualClock(): ManualClock {
  let now = 5_000;
  const sleepers = new Set<{ readonly due: number; readonly wake: () => void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = (): void => {
          sleepers.delete(sleeper);
          reject(new Error('woken up early'));
        };
        const sleeper = { due: now + ms, wake };
        if (signal.aborted) giveUp();
        else {
          sleepers.add(sleeper);
          signal.addEventListener('abort', giveUp, { once: true });
        }
      }),
    advance: (ms) => {
      now += ms;
      for (const { due, wake } of [...sleepers]) if (due <= now) wake();
    },
    sleeping: () => [...sleepers].map(({ due }) => due - now).sort((one, other) => one - other),
  };
}
