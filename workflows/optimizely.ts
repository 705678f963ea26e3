import type { DeliveryInput, DeliveryResult } from '../model/control.js';
import { decide } from '../vendors/optimizely/completion.js';
import { deliver } from './deliver.js';

/** An Optimizely delivery: one type and UTC day, complete when `_SUCCESS` stands beside its parts. */
export function optimizely(input: DeliveryInput): Promise<DeliveryResult> {
  return deliver(input, { looksFor: '_SUCCESS', decide });
}
