import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';

import type { Desk } from './desk.js';
import { wishesStand } from './patches.js';

/**
 * Runs steps until they end, or until somebody asks for something else: then they are cancelled, and heard out. A cancelled
 * step may end in any way: a fault that passes is not tried again once it is cancelled. So whatever it ends with, what was
 * asked for comes first.
 *
 * @param mayBreakOff false: they are only heard out.
 * @returns undefined when what was asked for comes first and the steps did not end well.
 */
export async function untilAsked<T>(
  desk: Desk,
  steps: () => Promise<T>,
  mayBreakOff: () => boolean = () => true,
): Promise<T | undefined> {
  const scope = new CancellationScope();
  const work = scope.run(steps);
  let done = false;
  const over = work.then(
    () => (done = true),
    () => (done = true),
  );
  try {
    await condition(() => done || desk.hasNews());
    if (!done && mayBreakOff()) scope.cancel();
    await over;
  } catch (error) {
    // The workflow was cancelled, and the steps with it. A transaction may still be committed.
    if (wishesStand()) await CancellationScope.nonCancellable(() => over);
    throw error;
  }
  try {
    return await work;
  } catch (error) {
    const cancelled = CancellationScope.current().consideredCancelled;
    if (desk.hasNews() && !cancelled && (isCancellation(error) || wishesStand())) return undefined;
    throw error;
  }
}
