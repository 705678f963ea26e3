/** The workflow of a day as somebody might change it without thinking of the deliveries that are under way. */

import { sleep } from '@temporalio/workflow';

import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { optimizely as current } from '../../workflows/optimizely.js';

export async function optimizely(input: DeliveryInput): Promise<DeliveryResult> {
  await sleep('1 minute');
  return current(input);
}
