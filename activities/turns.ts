/** Lets a bounded number of callers work at the same time; the others wait in the order they came. */
export interface Turns {
  readonly take: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
}

export function turns(places: number): Turns {
  let free = places;
  const waiting: (() => void)[] = [];

  const enter = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(admit), 1);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      waiting.push(admit);
      signal.addEventListener('abort', leave, { once: true });
    });
  };

  return {
    take: async (signal, work) => {
      await enter(signal);
      try {
        return await work();
      } finally {
        // The place goes to the next in line, or becomes free.
        const next = waiting.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}
