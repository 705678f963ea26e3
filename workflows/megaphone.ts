import type { DeliveryInput, DeliveryResult } from '../model/control.js';
import { decide } from '../vendors/megaphone/completion.js';
import { deliver } from './deliver.js';

/**
 * A Megaphone delivery: one UTC day of a type. Its file is rewritten every hour and loaded each time, provisional, until
 * it stands still after the vendor has closed the day; then it is final.
 */
export function megaphone(input: DeliveryInput): Promise<DeliveryResult> {
  return deliver(input, { looksFor: "the day's file", decide });
}
