/**
 * When a day is complete. The vendor's rule: the daily files "are ready for import when the _SUCCESS file is available",
 * and "we recommend that you check for the presence of this file at regular intervals"; data comes "within one day of
 * receipt", without a promised hour. So: look, wait, and give up visibly at the deadline.
 */

import {
  interval,
  lookAgain,
  rests,
  whatStays,
  writeInstant,
  type Asked,
  type Clock,
  type Decision,
  type Sighting,
  type Standing,
} from '../completion.js';

/**
 * What to do about a delivery now. A delivery that is final, skipped or discarded rests unless somebody asks; one that
 * failed is looked at again whenever it is started again. A marker counts whenever it comes, also after the deadline.
 */
export function decide(sighting: Sighting, ledger: Standing, clock: Clock, asked: Asked): Decision {
  if (rests(ledger.finality, asked)) {
    return {
      step: 'rest',
      reason: `It is ${ledger.finality} already and stays as it is; reprocess it to load it again.`,
    };
  }
  if (sighting.marker) {
    const reason = `${sighting.marker.key} is there.`;
    return { step: 'load', marker: sighting.marker, finality: 'final', reason };
  }
  if (asked.accepted) return { step: 'load', finality: 'final', reason: 'Accepted without its marker.' };

  if (clock.now < clock.deadline) return lookAgain(sighting.awaited, clock, interval(clock), '_SUCCESS');
  return {
    step: 'giveUp',
    as: 'failed',
    reason:
      `${sighting.awaited} was awaited until ${writeInstant(clock.deadline)} and did not come. ${whatStays(ledger)} ` +
      'Reprocess the delivery when the marker is there, or accept it to load what lies there without it.',
  };
}
