/**
 * When a day's file is to be loaded, and when it is final. The vendor writes it "once per hour" from the day's first
 * hour on; "From 0:00Z to 04:30Z, both the previous day's and current day's files will be written"; "By 04:30Z each day,
 * the previous day's file is final and will not be overwritten again". A real file was written at 05:16Z, so 04:30Z is
 * where watching begins and not where it ends: final is what two looks from then on, `settleFor` apart, show unchanged.
 */

import {
  interval,
  lookAgain,
  rests,
  whatStays,
  writeInstant,
  writeMinute,
  type Asked,
  type Clock,
  type Decision,
  type Marker,
  type Sighting,
  type Standing,
  type Watch,
} from '../completion.js';
import type { MegaphoneType } from './tables.js';

const minute = 60_000;
const hour = 60 * minute;

/** Milliseconds from the end of a UTC day to when the vendor no longer writes its file: by its word, not by ours. */
const closing: Readonly<Record<MegaphoneType, number>> = {
  metrics: 4 * hour + 30 * minute,
  impressions: 4 * hour + 30 * minute,
  'impressions-v2': 11 * hour,
};

export function closesAfter(type: MegaphoneType): number {
  return closing[type];
}

/** Where a clock does not say how long a version has to stand still. */
const usualSettleFor = hour;

/** All that a decision is made from, with the file that was seen. */
interface Case {
  readonly marker: Marker;
  /** The vendor has written its marker: nothing changes any more. */
  readonly closed: boolean;
  /** Readers see the version that was seen. */
  readonly current: boolean;
  readonly ledger: Standing;
  readonly clock: Clock;
  readonly closesAt: number;
  readonly settleFor: number;
  readonly asked: Asked;
  /** Since when the version stands still; only once that counts. */
  readonly watch: Watch | undefined;
}

/**
 * What to do about a delivery now. Every new version is loaded, also one of a final day; what is loaded becomes final
 * when it stands still after the vendor's hour, when the vendor has marked it, or when somebody accepts it. A delivery
 * that was skipped or discarded rests unless somebody asks.
 */
export function decide(
  sighting: Sighting,
  ledger: Standing,
  clock: Clock,
  asked: Asked,
  watch?: Watch,
): Decision {
  if (ledger.finality !== 'final' && rests(ledger.finality, asked)) {
    return {
      step: 'rest',
      reason: `It is ${ledger.finality} and stays as it is; reprocess it to load it again.`,
    };
  }
  const { marker } = sighting;
  if (!marker) return decideWithoutFile(sighting.awaited, ledger, clock, asked);
  const current = ledger.published && ledger.version === marker.version;
  if (ledger.finality === 'final' && current && !asked.force) {
    return { step: 'rest', reason: `It is final, and ${marker.key} has not changed since.` };
  }
  // Without the vendor's hour nothing may become final before its deadline.
  const closesAt = clock.closesAt ?? clock.deadline;
  const settleFor = Math.max(1, clock.settleFor ?? usualSettleFor);
  const given: Case = {
    ...{ marker, current, ledger, clock, closesAt, settleFor, asked },
    closed: sighting.closed === true,
    watch: clock.now < closesAt ? undefined : watchOf(marker, clock.now, closesAt, watch),
  };
  if (!current || asked.force) return load(given);
  return settleOrWait(given);
}

/** The first look that counts and showed this version: this one, unless an earlier one did. */
function watchOf({ version }: Marker, now: number, closesAt: number, before: Watch | undefined): Watch {
  return before?.version === version && before.since >= closesAt ? before : { version, since: now };
}

function load(given: Case): Decision {
  const { finality, because } = finalityOf(given);
  const notice = given.ledger.finality === 'final' && !given.current ? changedWhenFinal(given) : undefined;
  return {
    step: 'load',
    marker: given.marker,
    finality,
    reason: `${whatIsThere(given)} ${because}`,
    ...(notice === undefined ? {} : { notice }),
    ...(given.watch ? { watch: given.watch } : {}),
  };
}

function whatIsThere({ marker, current, ledger, clock }: Case): string {
  const seen = `seen at ${writeInstant(clock.now)}`;
  if (current) return `${marker.key} is loaded again as it is, ${seen}, because somebody asked for it.`;
  if (ledger.finality === 'final') return `A final day changed: ${marker.key} has a new version, ${seen}.`;
  return ledger.published ? `${marker.key} has a new version, ${seen}.` : `${marker.key} is there, ${seen}.`;
}

/** Stays with the rows, whatever their finality becomes. */
function changedWhenFinal({ marker, ledger, clock }: Case): string {
  const seen = `which was seen at ${writeInstant(clock.now)}`;
  return ledger.version === undefined
    ? `This day was final without ${marker.key}, ${seen}.`
    : `This day was final with version ${ledger.version} of ${marker.key}; the vendor wrote ${marker.version} ` +
        `afterwards, ${seen}.`;
}

/** The finality of what is about to be loaded, and the sentence that tells why. */
function finalityOf(given: Case): { finality: 'provisional' | 'final'; because: string } {
  const { clock, closesAt, settleFor, watch } = given;
  if (given.closed) return { finality: 'final', because: 'It is final: the vendor has marked it so.' };
  if (given.asked.accepted) return { finality: 'final', because: 'It is final: somebody accepted it.' };
  if (!watch) {
    const until = writeInstant(closesAt);
    return {
      finality: 'provisional',
      because: `It is provisional: the vendor may rewrite it until ${until}.`,
    };
  }
  // A day that is loaded again as it was must not vanish from what shows final days only.
  if (given.current && given.ledger.finality === 'final') {
    return { finality: 'final', because: 'It is final: this version was so before.' };
  }
  const from = writeInstant(Math.max(watch.since + settleFor, clock.now));
  return {
    finality: 'provisional',
    because: `It is provisional, and final from ${from} on if it stands still.`,
  };
}

/** Readers see the version that is there. */
function settleOrWait(given: Case): Decision {
  const { marker, clock, closesAt, settleFor, watch } = given;
  const { now } = clock;
  if (given.closed) {
    return { step: 'settle', reason: `The vendor has marked the day as final, and ${marker.key} is loaded.` };
  }
  if (given.asked.accepted) {
    return { step: 'settle', reason: `Somebody accepted ${marker.key} as it is loaded.` };
  }
  const next = now + Math.max(1, clock.pollEvery);
  if (!watch) {
    // Never past that instant: from the look at it on, standing still counts.
    const until = Math.min(next, closesAt);
    return {
      step: 'wait',
      until,
      reason:
        `${marker.key} is loaded and provisional, since the vendor may rewrite it until ${writeInstant(closesAt)}; ` +
        `the next look is at ${writeInstant(until)}.`,
      summary:
        until === closesAt
          ? `until ${writeMinute(until)}, when the vendor closes the day`
          : `next look ${writeMinute(until)}, what is loaded is provisional`,
    };
  }
  const settles = watch.since + settleFor;
  if (now >= settles) {
    return {
      step: 'settle',
      reason:
        `${marker.key} was the same at ${writeInstant(watch.since)} and at ${writeInstant(now)}, after the vendor's ` +
        `last hour for it, ${writeInstant(closesAt)}.`,
      watch,
    };
  }
  const until = Math.min(next, settles);
  return {
    step: 'wait',
    until,
    reason:
      `${marker.key} stands still since ${writeInstant(watch.since)} and is final if it does so until ` +
      `${writeInstant(settles)}; the next look is at ${writeInstant(until)}.`,
    summary: `next look ${writeMinute(until)}, final at ${writeMinute(settles)} if it stands still`,
    watch,
  };
}

function decideWithoutFile(awaited: string, ledger: Standing, clock: Clock, asked: Asked): Decision {
  if (ledger.finality === 'final' && !asked.force) {
    return { step: 'rest', reason: `It is final, and ${awaited} is not in the store now.` };
  }
  if (asked.accepted) {
    const accepted = `Somebody accepted the day without ${awaited}, which is not there`;
    return ledger.published
      ? { step: 'settle', reason: `${accepted}: what was loaded earlier is final.` }
      : { step: 'load', finality: 'final', reason: `${accepted}: an empty day.` };
  }
  if (clock.now < clock.deadline) return lookAgain(awaited, clock, pause(clock), 'file');
  return {
    step: 'giveUp',
    as: 'failed',
    reason:
      `${awaited} was awaited until ${writeInstant(clock.deadline)} and did not come. ${whatStays(ledger)} ` +
      `Megaphone has no backfill: it writes days ` +
      `only from when the feed was set up. If this day is later than that, ask its support. ` +
      `Reprocess the delivery when the file is there, or accept it as a day without one.`,
  };
}

/**
 * While the vendor writes the day its file may come with every hour; only from then on does a wait grow old. `pollEvery`
 * of 15 minutes and `giveUpAfter` of 2 days are some 140 looks.
 */
function pause(clock: Clock): number {
  const { now, pollEvery, closesAt, waitingSince } = clock;
  if (closesAt === undefined) return interval(clock);
  if (now < closesAt) return Math.max(1, pollEvery);
  return interval({ ...clock, waitingSince: Math.max(waitingSince, closesAt) });
}
