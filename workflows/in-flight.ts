import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs `work` for each number from `first` up to `end`, at most `limit` at the same time, in order. The first error
 * stops the others and is thrown when they have ended. `hold` is awaited before each start; false ends the run early,
 * when what is under way has finished.
 *
 * @returns the first number that was not started.
 */
export async function inFlight(
  first: number,
  end: number,
  limit: number,
  hold: () => Promise<boolean>,
  work: (number: number) => Promise<void>,
): Promise<number> {
  let next = first;
  let failure: unknown;
  let failed = false;
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const lane = async (): Promise<void> => {
      try {
        while (!failed && next < end && (await hold())) {
          if (failed || next >= end) return;
          await work(next++);
        }
      } catch (error) {
        if (failed) return;
        failed = true;
        failure = error;
        scope.cancel();
      }
    };
    await Promise.all(Array.from({ length: Math.min(limit, Math.max(0, end - first)) }, lane));
  });
  if (failed) throw failure;
  return next;
}
