/** What a decision about a day is made from, worked out once. Pure. */

import type { SeenUpTo } from '../../model/control.js';
import type { Asked, Clock, Marker, Standing, Watch } from '../completion.js';
import type { DaySighting } from './sighting.js';

const minute = 60_000;
const hour = 60 * minute;

/** Milliseconds from the end of a UTC day to when the last session of it has ended: 12 hours open, 30 minutes idle. */
export const closesAfter = 12 * hour + 30 * minute;

/** Where a clock does not say how long after that is waited. */
const usualSettleFor = hour;

export interface DayCase {
  readonly sighting: DaySighting;
  readonly ledger: Standing;
  readonly clock: Clock;
  readonly asked: Asked;
  readonly watch: Watch;
  /** What can be loaded: the files that stood still, or are loaded already. */
  readonly ready: Marker | undefined;
  /** The newest of them, by the store's clock. */
  readonly upTo: number | undefined;
  /** Files that may still be written. */
  readonly growing: number;
  /** Readers see what can be loaded. */
  readonly current: boolean;
  /** The last session of the day has ended. */
  readonly closesAt: number;
  /** When a day on time is final. */
  readonly quiet: number;
  /** A look from then on that brings nothing new makes the day final: later than that where files came late. */
  readonly settles: number;
  /** What keeps the day from being final is waited for until then. */
  readonly end: number;
}

export function dayCase(
  sighting: DaySighting,
  ledger: Standing,
  clock: Clock,
  asked: Asked,
  before: Watch | undefined,
): DayCase {
  const { marker, everything, listing, newest } = sighting;
  const watch = {
    version: listing,
    since: before?.version === listing ? before.since : clock.now,
    seen: remember(before, newest, clock),
  };
  const loaded = ledger.published ? ledger.version : undefined;
  // What has been loaded stood still, whether an earlier look is known of or not.
  const known = everything !== undefined && everything.version === loaded;
  const ready = known ? everything : marker;
  // Without the vendor's hour nothing may become final before its deadline.
  const closesAt = clock.closesAt ?? clock.deadline;
  const settleFor = Math.max(1, clock.settleFor ?? usualSettleFor);
  const quiet = closesAt + settleFor;
  // The files' own times say it too, and of an old day they say it at once; where there is none, nothing has come ever.
  const since = Math.min(watch.since, newest ?? 0);
  return {
    ...{ sighting, ledger, clock, asked, watch, ready, closesAt, quiet },
    upTo: known ? newest : sighting.upTo,
    growing: known ? 0 : sighting.growing,
    current: ready !== undefined && ready.version === loaded,
    // What comes even later has to stand still as long again.
    settles: since < quiet ? quiet : since + settleFor,
    end: Math.max(clock.deadline, quiet),
  };
}

/**
 * Milliseconds. That a file stands still takes two looks a minute apart, or a poll where that is shorter: less shows
 * nothing, and a look may follow the one before at once, where something was loaded in between or somebody asked for
 * something. Times are whole seconds on many servers, so it is never less than two.
 */
export function apart({ pollEvery }: Pick<Clock, 'pollEvery'>): number {
  return Math.min(minute, Math.max(2_000, pollEvery));
}

/** Up to when files are known to have stood still since an earlier look, by the store's clock. */
export function stoodStill(
  watch: Watch | undefined,
  clock: Pick<Clock, 'now' | 'pollEvery'>,
): number | undefined {
  return watch?.seen?.findLast(({ at }) => clock.now - at >= apart(clock))?.newest;
}

/** Of the looks that matter to the next one: the last that was long enough ago, and one since. */
function remember(before: Watch | undefined, newest: number | undefined, clock: Clock): readonly SeenUpTo[] {
  const seen = before?.seen ?? [];
  const last = seen.at(-1);
  if (last !== undefined && clock.now - last.at < apart(clock)) return seen;
  // A file from the future never counts as written: it would vouch for all others.
  return [...seen.slice(-1), { newest: Math.min(newest ?? 0, clock.now), at: clock.now }];
}
