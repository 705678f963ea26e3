/** What every vendor's completion rule is told, and what it may decide. Pure. */

import type { Watch } from '../model/control.js';
import type { Finality } from '../model/delivery.js';

export type { Watch };

/** The file by which a vendor says that there is something to load: a marker beside the parts, or the file itself. */
export interface Marker {
  readonly key: string;
  /** Its content version (ETag). */
  readonly version: string;
}

/** What a look at the store found. */
export interface Sighting {
  /** Key of the marker that was looked for. */
  readonly awaited: string;
  /** The marker, when it is there. */
  readonly marker?: Marker;
  /** The vendor has said that nothing of the delivery will change again. */
  readonly closed?: boolean;
  /** Whether everything that its manifests list is there; only where it has manifests. */
  readonly whole?: boolean;
  /** How its files differ from those that readers see, where that was asked for. */
  readonly changes?: Changes;
}

/** Files of a delivery beside those of the version that readers see. */
export interface Changes {
  /** Digest of the files that are there. */
  readonly version: string;
  /** How many differ, in all. */
  readonly total: number;
  readonly added: number;
  readonly rewritten: number;
  readonly removed: number;
  /** At most 5 of them, by key. */
  readonly first: readonly string[];
}

/** What the ledger says of the delivery; one that it does not know yet is `waiting`. */
export interface Standing {
  readonly finality: Finality;
  /** Whether readers see rows of an earlier load. */
  readonly published: boolean;
  /** Version of the marker of what readers see. */
  readonly version?: string;
  /** What ended it was its vendor's rule, and not a person. */
  readonly byRule?: boolean;
  /** Files that what readers see is without, because they cannot be read. */
  readonly unreadable?: { readonly files: number; /** Key and reason. */ readonly first: string };
}

/** Instants in epoch ms, lengths in ms. */
export interface Clock {
  readonly now: number;
  /** When waiting for the marker ends. */
  readonly deadline: number;
  /** The first look. */
  readonly waitingSince: number;
  readonly pollEvery: number;
  /** From when on the vendor no longer rewrites the delivery; only where it does. */
  readonly closesAt?: number;
  /** How long it has to stand still after that. */
  readonly settleFor?: number;
}

/** What people asked for and the workflow did not answer yet. */
export interface Asked {
  /** Treat the delivery as complete without its marker. */
  readonly accepted: boolean;
  /** Load again, whatever the ledger says. */
  readonly force: boolean;
}

/** Which parts of a delivery a load takes: those that its manifests list, or those too of which no manifest speaks. */
export type Take = 'listed' | 'all';

/** `watch` is handed from one decision to the next. */
export type Decision = (
  | {
      readonly step: 'load';
      readonly marker?: Marker;
      readonly finality: 'provisional' | 'final';
      /** Why it is loaded and has this finality, as a sentence. */
      readonly reason: string;
      /** What people should know of it, beyond that it was loaded. */
      readonly notice?: string;
      /** Only where it has manifests; `listed` unless said otherwise. */
      readonly take?: Take;
      /** Epoch ms: files that were written later are left for another load. Only where files come one by one. */
      readonly upTo?: number;
    }
  | {
      readonly step: 'wait';
      readonly until: number;
      readonly reason: string;
      readonly summary: string;
      /** What is waited for, and until when: for the ledger, which does not hear of every look. */
      readonly note?: string;
    }
  /** What readers see is final from now on. */
  | { readonly step: 'settle'; readonly reason: string }
  /** Nothing more is waited for. `discarded`: the vendor's rule says that what is there does not count. */
  | { readonly step: 'giveUp'; readonly as: 'failed' | 'discarded'; readonly reason: string }
  | { readonly step: 'rest'; readonly reason: string }
) & { readonly watch?: Watch };

const hour = 3_600_000;

/** Until a wait is this old, looks come every `pollEvery`. */
const eagerFor = 2 * hour;
/** After that they come after an eighth of the wait's age, so a day that is late by hours is noticed minutes late … */
const ageShare = 1 / 8;
/** … and never more than this apart: 3 days at `pollEvery` 15 minutes are 42 looks instead of 288. */
const longestInterval = 4 * hour;

/** How long to wait for a marker before the next look: `pollEvery` at first, growing with the wait's age. */
export function interval({ now, waitingSince, pollEvery }: Clock): number {
  // A clock may run backwards between two workers; a wait always moves on.
  const age = Math.max(0, now - waitingSince);
  const grown = age < eagerFor ? 0 : Math.min(age * ageShare, longestInterval);
  return Math.ceil(Math.max(pollEvery, grown, 1));
}

/** The next look for a marker that is not there yet: after `pause` ms, and the last one at the deadline. */
export function lookAgain(
  awaited: string,
  clock: Clock,
  pause: number,
  missing: string,
): Extract<Decision, { step: 'wait' }> {
  const until = Math.min(clock.now + pause, clock.deadline);
  return {
    step: 'wait',
    until,
    reason:
      `${awaited} is not there yet (waiting since ${writeInstant(clock.waitingSince)}); ` +
      `the next look is at ${writeInstant(until)}, the last one at ${writeInstant(clock.deadline)}.`,
    summary: `next look ${writeMinute(until)}, no ${missing} yet`,
    note: `${awaited} is awaited until ${writeMinute(clock.deadline)}.`,
  };
}

/** What a delivery that is given up leaves to its readers, as a sentence. */
export function whatStays({ published }: Standing): string {
  return published ? 'The rows of its last load stay visible.' : 'Nothing of it was published.';
}

/** `accept` says that a delivery is complete, which a final one is; only `reprocess` loads that again. */
export function rests(finality: Finality, asked: Asked): boolean {
  if (asked.force) return false;
  if (finality === 'final') return true;
  return (finality === 'skipped' || finality === 'discarded') && !asked.accepted;
}

/** `2026-03-04 12:00:00 UTC`. */
export function writeInstant(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2026-11-20 14:30Z`. */
export function writeMinute(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
