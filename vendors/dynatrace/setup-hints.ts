import type { ReceiverPlace, SetupHint } from '../vendor.js';

/** What to type into 'Settings > Integration > User session exports'. */
export function setupHints({ url, source }: ReceiverPlace): readonly SetupHint[] {
  return [{ setting: 'Endpoint URL', enter: `${url}/dynatrace/${source}` }];
}
