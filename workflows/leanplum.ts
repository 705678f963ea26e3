import type { DeliveryInput, DeliveryResult } from '../model/control.js';
import { decide } from '../vendors/leanplum/completion.js';
import type { JobSighting } from '../vendors/leanplum/sighting.js';
import { deliver } from './deliver.js';

const hour = 3_600_000;

/**
 * A job of Leanplum's export. Its manifests say what belongs to it and that it is whole: it is loaded when all that they
 * list is there, discarded when they do not come, and failed when they come and a file that they list does not.
 */
export function leanplum(input: DeliveryInput): Promise<DeliveryResult> {
  const { discardAfter = 24 * hour, uploadGrace = 2 * hour } = input;
  return deliver<JobSighting>(input, {
    looksFor: 'manifests and the shards they list',
    decide: (sighting, ledger, clock, asked) =>
      decide(sighting, ledger, { ...clock, discardAfter, uploadGrace }, asked),
    mendedBy: ({ completeSince, since }) => (completeSince ?? since ?? 0) + uploadGrace,
  });
}
