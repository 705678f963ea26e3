/** A version that has lost so many rows that it is held: what a person's word, or the next look, makes of it. Pure. */

import type { Decision, Sighting, Standing } from '../vendors/completion.js';
import type { HeldVersion } from '../warehouse/ledger-delivery.js';

/** What was held is published as it is staged, whatever the store shows by now: that is what the person has seen. */
export function acceptHeld(held: HeldVersion, because: string): Extract<Decision, { step: 'load' }> {
  return {
    step: 'load',
    finality: held.finality,
    reason: `${held.reason} It was held for having lost rows, and somebody accepted it: ${because}`,
    ...(held.notice === undefined ? {} : { notice: held.notice }),
  };
}

/** The version before is in the store again, so that there is nothing left to decide. */
export function isBack(held: HeldVersion, { marker, changes }: Sighting, ledger: Standing): boolean {
  if (changes) return changes.total === 0 && changes.version !== held.fingerprint;
  return marker !== undefined && marker.version === ledger.version && marker.version !== held.version;
}

/** Nothing has come that could take the place of what is held. */
export function staysHeld(held: HeldVersion, decision: Decision, { changes }: Sighting): boolean {
  if (decision.step !== 'load') return true;
  return decision.marker?.version === held.version && (!changes || changes.version === held.fingerprint);
}
