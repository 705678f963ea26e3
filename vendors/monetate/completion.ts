/**
 * When files of a day are to be loaded, and when the day is final. A session is written when it has ended, "which occurs
 * after 30 minutes of inactivity and persists for a maximum of 12 hours"; "if you download the files for the prior day's
 * data at 1 AM UTC, then you may miss some sessions that haven't closed yet. These sessions are available in the
 * following day's files." So a session that began at the last moment of a day is in a file of an interval up to 12:30 of
 * the next.
 *
 * A delivery owns the files of its own folder, and no other: each file is loaded by one delivery, once, and its rows bear
 * that day. The next day's folder it only looks at, until `closesAt` (12 hours 30 minutes after the day) and `settleFor`:
 * the day is final when a look from then on brings nothing new, and readers see the next delivery's files of that window
 * too. Then no session that began on the day can come any more. docs/decisions/0009-monetate-days.md weighs the others.
 */

import {
  rests,
  whatStays,
  writeInstant,
  writeMinute,
  type Asked,
  type Clock,
  type Decision,
  type Marker,
  type Standing,
  type Watch,
} from '../completion.js';
import { awaitNext, awaitReadable, awaitStillness, pause, sinceClosed } from './awaiting.js';
import { dayCase, type DayCase } from './day-case.js';
import type { DaySighting } from './sighting.js';
import { fail, filesIn, first, were } from './words.js';

/**
 * What to do about a day now. Files are loaded as they come, provisional, once they stand still. A final day rests while
 * its files are those that were loaded; others are loaded, with a notice. A day that was skipped or discarded rests
 * unless somebody asks.
 */
export function decide(
  sighting: DaySighting,
  ledger: Standing,
  clock: Clock,
  asked: Asked,
  before?: Watch,
): Decision {
  if (ledger.finality !== 'final' && rests(ledger.finality, asked)) {
    return {
      step: 'rest',
      reason: `It is ${ledger.finality} and stays as it is; reprocess it to load it again.`,
    };
  }
  const given = dayCase(sighting, ledger, clock, asked, before);
  const rest = ledger.finality === 'final' && !asked.force ? whyFinalRests(given) : undefined;
  if (rest !== undefined) return { step: 'rest', reason: rest };
  return { ...step(given), watch: given.watch };
}

function whyFinalRests({ sighting, ledger, clock }: DayCase): string | undefined {
  const { awaited, everything } = sighting;
  if (clock.now >= sighting.goneFrom) return 'It is final, and Monetate no longer keeps all of its files.';
  if (everything === undefined) return `It is final, and there is no file in ${awaited} now.`;
  if (everything.version !== ledger.version) return undefined;
  return `It is final, and the files in ${awaited} have not changed since.`;
}

function step(given: DayCase): Decision {
  const { sighting, clock, asked, ready, current, growing } = given;
  if (asked.accepted)
    return growing > 0 && sighting.upTo === undefined ? awaitStillness(given) : accept(given);
  if (clock.now >= sighting.goneFrom) return giveUpGone(given);
  if (sighting.files === 0) return decideWithoutFiles(given);
  if (!ready) return awaitStillness(given);
  return !current || asked.force ? load(given, ready) : settleOrWait(given);
}

function load(
  { sighting, ledger, clock, upTo, growing, current, settles }: DayCase,
  marker: Marker,
): Decision {
  const count = sighting.files - growing;
  const stand = count === 1 ? 'stands' : 'stand';
  const there = `${filesIn(count, marker.key)} ${stand} still, seen at ${writeInstant(clock.now)}.`;
  const common = { step: 'load', marker, ...(upTo === undefined ? {} : { upTo }) } as const;
  // A day that is loaded again as it was must not vanish from what shows final days only.
  if (current && ledger.finality === 'final' && clock.now >= settles) {
    return { ...common, finality: 'final', reason: `${there} It is final: these files were so before.` };
  }
  const because =
    clock.now < settles
      ? `It is provisional, and can be final from ${writeInstant(settles)} on.`
      : 'It is provisional until a look brings nothing new.';
  if (current || ledger.finality !== 'final') {
    return { ...common, finality: 'provisional', reason: `${there} ${because}` };
  }
  return {
    ...common,
    finality: 'provisional',
    reason: `A final day changed: ${there} ${because}`,
    notice:
      `This day was final with other files in ${marker.key} than those that were seen at ` +
      `${writeInstant(clock.now)}.`,
  };
}

/** Readers see all files that stand still. */
function settleOrWait(given: DayCase): Decision {
  const { sighting, ledger, clock, closesAt, quiet, settles, growing } = given;
  const { awaited, files, next, nextFiles, nextUnloaded } = sighting;
  const until = Math.min(clock.now + pause(clock), settles);
  // A file that changes at every look would put off the hour for ever, and is what is waited for then.
  if (clock.now < settles && !(growing > 0 && clock.now >= quiet)) {
    return {
      step: 'wait',
      until,
      reason:
        `${filesIn(files - growing, awaited)} ${files - growing === 1 ? 'is' : 'are'} loaded. Sessions of the day may ` +
        `come until ${writeInstant(closesAt)}; it is final from ${writeInstant(settles)} on, when a look brings ` +
        `nothing new. The next look is at ${writeInstant(until)}.`,
      summary: `next look ${writeMinute(until)}, ${files - growing} files loaded, can be final at ${writeMinute(settles)}`,
    };
  }
  if (growing > 0) return awaitStillness(given);
  if (ledger.unreadable) return awaitReadable(given, ledger.unreadable);
  if (nextUnloaded > 0) return awaitNext(given);
  return {
    step: 'settle',
    reason:
      `A look at ${writeInstant(clock.now)} brought nothing new: readers see ${filesIn(files, awaited)}` +
      (nextFiles === 0 ? '' : `, and ${filesIn(nextFiles, next)} that sessions of the day may be in`) +
      `. The last of them ended by ${writeInstant(closesAt)}.`,
  };
}

function decideWithoutFiles(given: DayCase): Decision {
  const { sighting, ledger, clock, asked, closesAt, settles, end } = given;
  const { awaited, exportThere, nextUnloaded } = sighting;
  const none = `There is no file in ${awaited}`;
  const until = Math.min(clock.now + pause(clock), settles);
  if (clock.now < settles) {
    return {
      step: 'wait',
      until,
      reason:
        `${none} yet. Files may come until ${writeInstant(settles)}; without any it is a day without sessions. ` +
        `The next look is at ${writeInstant(until)}.`,
      summary: `next look ${writeMinute(until)}, no file yet`,
      note: `Files in ${awaited} are awaited until ${writeMinute(settles)}.`,
    };
  }
  const lost = ledger.published && ledger.version !== undefined;
  if (exportThere && !lost && nextUnloaded > 0) return awaitNext(given);
  if (exportThere && !lost) {
    const reason = `${none}, and other days show: a day on which no session ended.`;
    // An empty day is loaded too, so that the ledger has it.
    return ledger.published && !asked.force
      ? { step: 'settle', reason }
      : { step: 'load', finality: 'final', reason };
  }
  const wrong = lost
    ? `${none} any more, though some were loaded`
    : `${none}, and the store shows no day at all, which is no sign of a day without sessions`;
  if (clock.now >= end) {
    return fail(
      `${wrong}. ${whatStays(ledger)} Check the account and the SFTP user's folder, and reprocess the delivery then; ` +
        'or accept it as it is.',
    );
  }
  const again = Math.min(clock.now + sinceClosed(clock, closesAt), end);
  return {
    step: 'wait',
    until: again,
    reason: `${wrong}. The next look is at ${writeInstant(again)}, the last one at ${writeInstant(end)}.`,
    summary: `next look ${writeMinute(again)}, ${lost ? 'its files are gone' : 'the export does not show'}`,
    note: `${wrong}. That is looked at until ${writeMinute(end)}.`,
  };
}

/** A person takes the day as complete: what is wrong with that stays with its rows. */
function accept(given: DayCase): Decision {
  const { sighting, ledger, asked } = given;
  const { awaited, everything, files } = sighting;
  const flaws = flawsOf(given);
  const reason = [`Somebody accepted the day as it is, with ${filesIn(files, awaited)}.`, ...flaws].join(' ');
  const visible = ledger.published && (everything === undefined || everything.version === ledger.version);
  if (visible && !asked.force) return { step: 'settle', reason };
  return {
    step: 'load',
    ...(everything ? { marker: everything } : {}),
    ...{ finality: 'final', reason },
    ...(flaws.length === 0 ? {} : { notice: reason }),
  };
}

function flawsOf({ sighting, ledger, clock, growing, closesAt }: DayCase): readonly string[] {
  const { awaited, firstGrowing, goneFrom, next, nextUnloaded } = sighting;
  const flaws: string[] = [];
  if (clock.now >= goneFrom) {
    flaws.push(`Monetate no longer keeps all of its files since ${writeInstant(goneFrom)}.`);
  }
  if (clock.now < closesAt) flaws.push(`Sessions of it may come until ${writeInstant(closesAt)}.`);
  if (growing > 0) {
    const names = first(firstGrowing, growing);
    flaws.push(`${filesIn(growing, awaited)} ${were(growing)} perhaps still being written (${names}).`);
  }
  if (ledger.unreadable) {
    const { files, first: which } = ledger.unreadable;
    flaws.push(`Left out ${were(files)} ${filesIn(files, awaited)} that cannot be read: ${which}`);
  }
  if (nextUnloaded > 0) {
    flaws.push(
      `Sessions of it may be in ${filesIn(nextUnloaded, next)} that ${were(nextUnloaded)} not loaded.`,
    );
  }
  return flaws;
}

function giveUpGone({ sighting: { goneFrom, files, awaited }, ledger }: DayCase): Decision {
  return fail(
    `Monetate keeps files for 820 days, and those of this day go since ${writeInstant(goneFrom)}; there ` +
      `${files > 1 ? 'are' : 'is'} ${filesIn(files, awaited)}, and nobody can tell whether these are all. ` +
      `${whatStays(ledger)} Accept the delivery to load what lies there.`,
  );
}
