/** How `landfall dev` ends: on a signal or by itself, each part once, last brought up first taken down. */
export interface Ending {
  /** Aborted when somebody asks for the end. */
  readonly asked: AbortSignal;
  readonly defer: (end: () => Promise<void>) => void;
  /** Ends everything with this error. */
  readonly fail: (error: unknown) => void;
  /** Gives what `work` gives; exit code 0 as soon as the end is asked for, whatever it is doing. */
  unlessAsked(work: Promise<0 | 1>): Promise<0 | 1>;
  /** Takes everything down. */
  run(): Promise<void>;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function ending(): Ending {
  const ends: (() => Promise<void>)[] = [];
  const controller = new AbortController();
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  // Once nothing is worked at any more, nobody listens.
  failed.catch(() => undefined);
  const ask = (): void => {
    // Whoever asks twice does not want to wait: the servers end with this process.
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, ask);
  return {
    asked: controller.signal,
    defer: (end) => void ends.push(end),
    fail: (error) => fail(error),
    unlessAsked: (work) =>
      Promise.race([
        work,
        failed,
        new Promise<0>((resolve) => controller.signal.addEventListener('abort', () => resolve(0))),
      ]),
    run: async () => {
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
        await end().catch((error: unknown) => console.error(String(error)));
      }
      // What was still being built or downloaded when the end was asked for ends with the process.
      if (controller.signal.aborted) process.exit(0);
      for (const signal of signals) process.off(signal, ask);
    },
  };
}
