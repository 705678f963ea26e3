import type { SourceConfig } from '../config/schema.js';
import { deliveryStart } from '../config/delivery-start.js';
import type { DeliveryResult } from '../model/control.js';
import type { Delivery } from '../model/delivery.js';
import type { Place } from './place.js';

/** Seconds from the signal to the published delivery: look, list, fetch, stage, key, publish. */
export async function loadOnce(place: Place, source: SourceConfig, delivery: Delivery): Promise<number> {
  await place.pool.query('checkpoint');
  const { workflowType, workflowId, input } = deliveryStart(source, delivery, Date.now());
  const start = performance.now();
  const handle = await place.client.workflow.signalWithStart(workflowType, {
    workflowId,
    taskQueue: place.taskQueue,
    args: [input],
    signal: 'reprocess',
    signalArgs: [{ reason: 'measured' }],
  });
  const result = (await handle.result()) as DeliveryResult;
  const seconds = (performance.now() - start) / 1_000;
  if (result.finality !== 'final') throw new Error(`${workflowId} is ${result.finality}: ${result.reason}`);
  return seconds;
}
