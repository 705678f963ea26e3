/** Workflows around `startDelivery`: one that starts another, and stays open for a while after it was cancelled. */

import { CancellationScope, condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';

import type { DeliveryStart } from '../../config/delivery-start.js';
import { startDelivery } from '../../workflows/start.js';

export async function starter(start: DeliveryStart): Promise<void> {
  let state = 'starting';
  let mayEnd = false;
  setHandler(defineQuery<string>('state'), () => state);
  setHandler(defineSignal('end'), () => void (mayEnd = true));
  await startDelivery(start);
  state = 'started';
  try {
    await condition(() => mayEnd);
  } finally {
    state = 'cancelled';
    await CancellationScope.nonCancellable(() => condition(() => mayEnd));
  }
}

export async function started(): Promise<string> {
  let mayEnd = false;
  setHandler(defineSignal('end'), () => void (mayEnd = true));
  await condition(() => mayEnd);
  return 'it went on';
}
