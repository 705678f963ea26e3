/** What keeps a day from being final once its time has come, and until when that is waited for. Pure. */

import {
  whatStays,
  interval,
  writeInstant,
  writeMinute,
  type Clock,
  type Decision,
  type Standing,
} from '../completion.js';
import { apart, type DayCase } from './day-case.js';
import { fail, filesIn, first, were } from './words.js';

/** Milliseconds that the next day is waited for in any case, from the first look on. */
const neighbourFor = 86_400_000;

/** Some files are newer than all that the look before saw. */
export function awaitStillness({ sighting, ledger, clock, growing, end }: DayCase): Decision {
  const { awaited, firstGrowing } = sighting;
  const names = first(firstGrowing, growing);
  const firstLook = sighting.upTo === undefined;
  if (!firstLook && clock.now >= end) {
    return fail(
      `${filesIn(growing, awaited)} changed up to the last look, at ${writeInstant(clock.now)} (${names}). ` +
        `${whatStays(ledger)} Reprocess the delivery when they are whole, or accept it to load what lies there.`,
    );
  }
  const until = clock.now + (firstLook ? apart(clock) : pause(clock));
  return {
    step: 'wait',
    until,
    reason:
      `${filesIn(growing, awaited)} may still be written (${names}): size and time have to stand still from one look ` +
      `to the next, which is at ${writeInstant(until)}.`,
    summary: `next look ${writeMinute(until)}, whether ${growing} ${growing === 1 ? 'file stands' : 'files stand'} still`,
  };
}

/** What Monetate writes anew has another version, and is loaded then. */
export function awaitReadable(
  { sighting: { awaited }, ledger, clock, closesAt, end }: DayCase,
  { files, first: which }: NonNullable<Standing['unreadable']>,
): Decision {
  const cannot = `${filesIn(files, awaited)} cannot be read, and ${were(files)} left out: ${which}`;
  if (clock.now >= end) {
    return fail(
      `${cannot} ${whatStays(ledger)} Have Monetate write ${files === 1 ? 'it' : 'them'} anew and reprocess the ` +
        'delivery, or accept it without.',
    );
  }
  const until = Math.min(clock.now + sinceClosed(clock, closesAt), end);
  return {
    step: 'wait',
    until,
    reason: `${cannot} That it is written anew is waited for; the next look is at ${writeInstant(until)}.`,
    summary: `next look ${writeMinute(until)}, ${files} ${files === 1 ? 'file' : 'files'} cannot be read`,
    note: `${cannot} That it is written anew is waited for until ${writeMinute(end)}.`,
  };
}

/** All of this day is loaded, and not all of the next one's first half. */
export function awaitNext({ sighting, ledger, clock, closesAt, end: usualEnd }: DayCase): Decision {
  const { next, nextFiles, nextUnloaded } = sighting;
  // Of an old day the deadline has passed, while a backfill may be at work on the next one.
  const end = Math.max(usualEnd, clock.waitingSince + neighbourFor);
  const missing =
    `${nextUnloaded} of the ${filesIn(nextFiles, next)} up to ${writeMinute(closesAt)} ` +
    `${nextUnloaded === 1 ? 'is' : 'are'} not loaded, and sessions that began on this day may be in them`;
  if (clock.now >= end) {
    return fail(
      `${missing}; they were waited for until ${writeInstant(end)}. ${whatStays(ledger)} Load the next day as well and ` +
        'reprocess this one then, or accept it without them.',
    );
  }
  const until = Math.min(clock.now + sinceClosed(clock, closesAt), end);
  return {
    step: 'wait',
    until,
    reason: `${missing}. They are the next day's to load; the next look is at ${writeInstant(until)}.`,
    summary: `next look ${writeMinute(until)}, ${nextUnloaded} of the next day's files not loaded yet`,
    note: `${missing}. That is waited for until ${writeMinute(end)}.`,
  };
}

export function pause({ pollEvery }: Clock): number {
  return Math.max(1, pollEvery);
}

/** Milliseconds to the next look, when only what others do is waited for: it grows from then on. */
export function sinceClosed(clock: Clock, closesAt: number): number {
  return interval({ ...clock, waitingSince: Math.max(clock.waitingSince, closesAt) });
}
