import type { DeliveryInput, DeliveryResult } from '../model/control.js';
import { decide } from '../vendors/monetate/completion.js';
import type { DaySighting } from '../vendors/monetate/sighting.js';
import { deliver } from './deliver.js';
import { refreshNamesOf } from './refresh-names.js';

/**
 * A Monetate day. Its files are loaded as they come, provisional, each once it has stood still between two looks; the day
 * is final when the last session that began on it has ended, a look brings nothing new, and the next day's files of that
 * time are loaded too. Then its ids are named, where the source has an API that knows their names.
 */
export function monetate(input: DeliveryInput): Promise<DeliveryResult> {
  return deliver<DaySighting>(input, {
    looksFor: 'new files',
    decide,
    atRest: async ({ finality }) => {
      if (finality === 'final' && input.names === true) await refreshNamesOf(input);
    },
  });
}
