import type { DeliveryInput, DeliveryResult } from '../model/control.js';
import { decide } from '../vendors/dynatrace/completion.js';
import { deliver } from './deliver.js';

/** A batch of what Dynatrace sent. It is loaded at once, for it is complete as it was gathered. */
export function dynatrace(input: DeliveryInput): Promise<DeliveryResult> {
  // What was received is never sent anew: nobody mends a body but a person.
  return deliver(input, { looksFor: 'its bodies', decide, mendedBy: () => 0 });
}
