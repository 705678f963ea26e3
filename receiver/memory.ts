/** How much of what is sent may be held at the same time. */

export interface Memory {
  /**
   * Waits until so many bytes are free, first come first served, and takes them. 'busy' when too many wait already or it
   * took too long; 'gone' when `signal` was aborted meanwhile.
   */
  reserve(bytes: number, signal: AbortSignal): Promise<Reservation | 'busy' | 'gone'>;
  readonly held: () => number;
  readonly waiting: () => number;
}

export interface Reservation {
  /** Gives back all but so many bytes. */
  readonly shrink: (bytes: number) => void;
  /** Gives everything back; may be called again. */
  readonly release: () => void;
}

export interface MemoryLimits {
  /** Bytes. One reservation is granted whatever its size. */
  readonly memory: number;
  readonly maxWaiting: number;
  /** Milliseconds. */
  readonly waitFor: number;
}

interface Waiting {
  readonly bytes: number;
  readonly settle: (outcome: Reservation | 'busy' | 'gone') => void;
}

export function createMemory({ memory, maxWaiting, waitFor }: MemoryLimits): Memory {
  const queue = new Set<Waiting>();
  let held = 0;

  const fits = (bytes: number): boolean => held === 0 || held + bytes <= memory;
  const admit = (): void => {
    for (const next of queue) {
      // Whoever is behind a large body waits with it: else there might always be room for all but that one.
      if (!fits(next.bytes)) return;
      queue.delete(next);
      next.settle(take(next.bytes));
    }
  };
  const take = (bytes: number): Reservation => {
    let mine = bytes;
    held += bytes;
    const shrink = (left: number): void => {
      held -= Math.max(0, mine - left);
      mine = Math.min(mine, left);
      admit();
    };
    return { shrink, release: () => shrink(0) };
  };
  const wait = (bytes: number, signal: AbortSignal): Promise<Reservation | 'busy' | 'gone'> =>
    new Promise((resolve) => {
      const leave = (outcome: 'busy' | 'gone'): void => {
        queue.delete(waiting);
        waiting.settle(outcome);
        // It may have been what the others waited behind.
        admit();
      };
      const gone = (): void => leave('gone');
      const timer = setTimeout(() => leave('busy'), waitFor);
      const waiting: Waiting = {
        bytes,
        settle: (outcome) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', gone);
          resolve(outcome);
        },
      };
      signal.addEventListener('abort', gone);
      queue.add(waiting);
    });

  return {
    reserve: async (bytes, signal) => {
      if (signal.aborted) return 'gone';
      if (queue.size === 0 && fits(bytes)) return take(bytes);
      return queue.size >= maxWaiting ? 'busy' : wait(bytes, signal);
    },
    held: () => held,
    waiting: () => queue.size,
  };
}
