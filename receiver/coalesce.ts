/** Makes one call of many. */

export interface Coalesced {
  /**
   * Adds to what the next call is told. Settles with that call; where it failed, what it was to tell is kept for the next
   * one, which comes by itself.
   */
  readonly add: (amount: number) => Promise<void>;
  /** Makes a last call where something is left to tell, and no more after it. */
  readonly close: () => Promise<void>;
}

export interface Pace {
  /** Milliseconds from the beginning of a call to that of the next. */
  readonly every: number;
  /** The same at the most, after calls that failed: it doubles with each. */
  readonly atMost: number;
}

interface Awaited {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The first call comes at once, then as the pace allows; never two at the same time. */
export function coalesce(call: (amount: number) => Promise<void>, { every, atMost }: Pace): Coalesced {
  let amount = 0;
  let next: Awaited | undefined;
  let timer: NodeJS.Timeout | undefined;
  let calling: Promise<void> | undefined;
  let began = -Infinity;
  let failures = 0;
  let closed = false;

  const run = async (): Promise<void> => {
    const told = amount;
    const awaited = next;
    amount = 0;
    next = undefined;
    began = performance.now();
    try {
      await call(told);
      failures = 0;
      awaited?.resolve();
    } catch (error) {
      amount += told;
      failures += 1;
      awaited?.reject(error);
    }
  };
  const start = (): void => {
    timer = undefined;
    calling = run().finally(() => {
      calling = undefined;
      schedule();
    });
  };
  const schedule = (): void => {
    if (closed || amount === 0 || timer !== undefined || calling !== undefined) return;
    const pause = Math.min(atMost, every * 2 ** failures);
    timer = setTimeout(start, Math.max(0, began + pause - performance.now()));
  };
  return {
    add: (more) => {
      amount += more;
      next ??= promised();
      schedule();
      return next.promise;
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await calling;
      if (amount > 0 && failures === 0) await run();
      next?.reject(new Error('closed'));
    },
  };
}

function promised(): Awaited {
  let resolve: Awaited['resolve'] = () => undefined;
  let reject: Awaited['reject'] = () => undefined;
  const promise = new Promise<void>((kept, broken) => {
    resolve = kept;
    reject = broken;
  });
  return { promise, resolve, reject };
}
