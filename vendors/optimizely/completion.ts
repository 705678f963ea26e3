/**
 * When a day is complete. The vendor's rule: the daily files "are ready for import when the _SUCCESS file is available",
 * and "we recommend that you check for the presence of this file at regular intervals"; data comes "within one day of
 * receipt", without a promised hour. So: look, wait, and give up visibly at the deadline.
 */

import { writeChanges } from '../changes.js';
import {
  interval,
  lookAgain,
  rests,
  whatStays,
  writeInstant,
  writeMinute,
  type Asked,
  type Changes,
  type Clock,
  type Decision,
  type Marker,
  type Sighting,
  type Standing,
  type Watch,
} from '../completion.js';

/** Milliseconds that files which changed after their marker have to stand still, or a poll where that is shorter. */
const usualStillness = 60_000;

/**
 * What to do about a delivery now. A delivery that is final, skipped or discarded rests unless somebody asks; but a final
 * one whose files are others than were loaded, with the marker beside them, is loaded again: the vendor corrects days, and
 * takes people out of them. One that failed is looked at again whenever it is started again. A marker counts whenever it
 * comes, also after the deadline.
 */
export function decide(
  sighting: Sighting,
  ledger: Standing,
  clock: Clock,
  asked: Asked,
  before?: Watch,
): Decision {
  if (rests(ledger.finality, asked)) {
    const { marker, changes } = sighting;
    if (ledger.finality === 'final' && marker && changes && changes.total > 0) {
      return loadChanged(marker, changes, clock, before);
    }
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

/** Files that are removed, rewritten and added one by one are loaded when that has ended. */
function loadChanged(
  marker: Marker,
  changes: Changes,
  { now, pollEvery }: Clock,
  before: Watch | undefined,
): Decision {
  const { version } = changes;
  const watch = before?.version === version ? before : { version, since: now };
  const until = watch.since + Math.min(usualStillness, Math.max(1, pollEvery));
  if (now < until) {
    return {
      step: 'wait',
      until,
      reason:
        `It is final, and ${writeChanges(changes)} since. The files have to stand still until ${writeInstant(until)}; ` +
        `then the day is loaded again.`,
      summary: `next look ${writeMinute(until)}, whether files of a final day stand still`,
      watch,
    };
  }
  const notice = `This day was final with other files: ${writeChanges(changes)} after its marker, seen at ${writeInstant(now)}.`;
  return {
    step: 'load',
    marker,
    finality: 'final',
    reason: `A final day changed: ${writeChanges(changes)}, and ${marker.key} is there.`,
    notice,
    watch,
  };
}
