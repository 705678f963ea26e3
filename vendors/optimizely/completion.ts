/**
 * When a day is complete. The vendor's rule: the daily files "are ready for import when the _SUCCESS file is available",
 * and "we recommend that you check for the presence of this file at regular intervals"; data comes "within one day of
 * receipt", without a promised hour. So: look, wait, and give up visibly at the deadline.
 */

import type { Finality } from '../../model/delivery.js';

const hour = 3_600_000;

/** Until a wait is this old, looks come every `pollEvery`. */
const eagerFor = 2 * hour;
/** After that they come after an eighth of the wait's age, so a day that is late by hours is noticed minutes late … */
const ageShare = 1 / 8;
/** … and never more than this apart: 3 days at `pollEvery` 15 minutes are 42 looks instead of 288. */
const longestInterval = 4 * hour;

export interface Marker {
  readonly key: string;
  /** Its content version (ETag). */
  readonly version: string;
}

/** What the look at the store found. */
export interface Sighting {
  /** Key of the marker that was looked for. */
  readonly awaited: string;
  /** The marker, when it is there. */
  readonly marker?: Marker;
}

/** What the ledger says of the delivery; one that it does not know yet is `waiting`. */
export interface Standing {
  readonly finality: Finality;
  /** Whether readers see rows of an earlier load. */
  readonly published: boolean;
}

/** Instants in epoch ms, lengths in ms. */
export interface Clock {
  readonly now: number;
  readonly deadline: number;
  /** The first look. */
  readonly waitingSince: number;
  readonly pollEvery: number;
}

/** What people asked for and the workflow did not answer yet. */
export interface Asked {
  /** Treat the day as complete without its marker. */
  readonly accepted: boolean;
  /** Load again, whatever the ledger says. */
  readonly force: boolean;
}

export type Decision =
  | { readonly step: 'load'; readonly marker?: Marker }
  | { readonly step: 'wait'; readonly until: number; readonly reason: string }
  | { readonly step: 'giveUp'; readonly reason: string }
  | { readonly step: 'rest'; readonly reason: string };

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
  if (sighting.marker) return { step: 'load', marker: sighting.marker };
  if (asked.accepted) return { step: 'load' };

  const since = writeInstant(clock.waitingSince);
  const deadline = writeInstant(clock.deadline);
  if (clock.now < clock.deadline) {
    const until = Math.min(clock.now + interval(clock), clock.deadline);
    return {
      step: 'wait',
      until,
      reason:
        `${sighting.awaited} is not there yet (waiting since ${since}); ` +
        `the next look is at ${writeInstant(until)}, the last one at ${deadline}.`,
    };
  }
  const visible = ledger.published
    ? 'The rows of its last load stay visible. '
    : 'Nothing of it was published. ';
  return {
    step: 'giveUp',
    reason:
      `${sighting.awaited} was awaited until ${deadline} and did not come. ${visible}` +
      'Reprocess the delivery when the marker is there, or accept it to load what lies there without it.',
  };
}

/** `accept` says that a day is complete, which a final one is; only `reprocess` loads that again. */
function rests(finality: Finality, asked: Asked): boolean {
  if (asked.force) return false;
  if (finality === 'final') return true;
  return (finality === 'skipped' || finality === 'discarded') && !asked.accepted;
}

/** How long to wait before the next look: `pollEvery` at first, growing with the wait's age. */
export function interval({ now, waitingSince, pollEvery }: Clock): number {
  // A clock may run backwards between two workers; a wait always moves on.
  const age = Math.max(0, now - waitingSince);
  const grown = age < eagerFor ? 0 : Math.min(age * ageShare, longestInterval);
  return Math.ceil(Math.max(pollEvery, grown, 1));
}

/** `2026-03-04 12:00:00 UTC`. */
function writeInstant(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
