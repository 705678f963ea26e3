/**
 * When the made-up visitors come, and how long they stay. A session ends 30 minutes after its last activity, and activity
 * counts for 12 hours at most: one that begins at 23:59 may end the next day, just before 12:30.
 *
 * Oddities come in turn rather than by chance. Of any 300 sessions in a row one begins in the day's last minute and lasts
 * for 12 hours, and four more last as long.
 */

import { startOfDay } from '../../model/day.js';
import { drawsOf, type Draws } from '../leanplum/draws.js';

export interface DayOfVisits {
  /** On which they begin. */
  readonly date: string;
  /** How many sessions begin on it. */
  readonly sessions: number;
  /** Another seed is another world. Default `sample`. */
  readonly seed?: string;
}

/** A session before it is filled. */
export interface Visit {
  /** Within the day, from 0. */
  readonly number: number;
  readonly visitor: number;
  /** Epoch milliseconds. */
  readonly start: number;
  /** Milliseconds from the first to the last activity, at most 12 hours. */
  readonly active: number;
  /** Pages. Only bots have more than 2,000. */
  readonly views: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** "After 30 minutes of inactivity." */
export const idleFor = 30 * minute;
export const longest = 12 * hour;

/** Of six sessions one visitor has three, another two, another one; their turns over the day, and how many they have. */
const turns = [
  { visitor: 0, turn: 0, of: 3 },
  { visitor: 0, turn: 1, of: 3 },
  { visitor: 0, turn: 2, of: 3 },
  { visitor: 1, turn: 0, of: 2 },
  { visitor: 1, turn: 1, of: 2 },
  { visitor: 2, turn: 0, of: 1 },
] as const;

/** How busy the hours of the day are, UTC. */
const rhythm = [2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 9, 8, 7, 7, 8, 9, 11, 12, 11, 8, 5, 3] as const;
const busy = rhythm.reduce<number>((sum, share) => sum + share, 0);

/** Visits do not overlap: whoever was there yesterday comes again in six days. */
export function visitsOf({ date, sessions, seed = 'sample' }: DayOfVisits): readonly Visit[] {
  const midnight = startOfDay(date);
  const week = (midnight / day) % 7;
  const drawn = (number: number): Draws => drawsOf(`${seed} ${date} visit ${number}`);
  return Array.from({ length: sessions }, (_, number) => {
    const { visitor } = turnOf(number);
    const draws = drawn(number);
    const start = midnight + beginning(number, draws);
    const next = isLastTurn(number) ? Infinity : midnight + beginning(number + 1, drawn(number + 1));
    const { active, views } = stay(number, draws);
    return {
      ...{ number, start, views },
      visitor: (Math.floor(number / turns.length) * 3 + visitor) * 7 + week,
      active: Math.min(active, next - start - idleFor - minute),
    };
  });
}

/** Epoch milliseconds. */
export function endOf({ start, active }: Pick<Visit, 'start' | 'active'>): number {
  return start + active + idleFor;
}

function turnOf(number: number): (typeof turns)[number] {
  return turns[number % turns.length] ?? turns[0];
}

function isLastTurn(number: number): boolean {
  const { turn, of } = turnOf(number);
  return turn === of - 1;
}

/** Milliseconds since midnight. Between the turns of a visitor lies a quarter of one: an hour where it is busiest. */
function beginning(number: number, draws: Draws): number {
  if (number % 300 === 5) return day - 1 - draws.below(minute);
  const { turn, of } = turnOf(number);
  const share = (draws.below(2 ** 32) / 2 ** 32) * (isLastTurn(number) ? 1 : 0.75);
  return busyUntil((turn + share) / of);
}

/** Milliseconds since midnight by when this share of a day's visits have begun. */
function busyUntil(share: number): number {
  let left = share * busy;
  for (const [index, weight] of rhythm.entries()) {
    if (left < weight) return Math.floor((index + left / weight) * hour);
    left -= weight;
  }
  return day - 1;
}

function stay(number: number, draws: Draws): Pick<Visit, 'active' | 'views'> {
  if (number % 500 === 250) return { active: 2 * hour, views: 2_600 };
  // As many products as are still told completely.
  if (number % 500 === 254) return { active: 3 * hour, views: 1_998 };
  if (number % 60 === 5) return { active: longest, views: 60 + draws.below(60) };
  if (number % 4 === 3) return { active: 0, views: 1 };
  if (number % 20 === 8) return { active: hour + draws.below(5 * hour), views: 20 + draws.below(40) };
  return minutesOf(draws);
}

/** Few minutes, mostly. */
export function minutesOf(draws: Draws): Pick<Visit, 'active' | 'views'> {
  const views = 2 + draws.below(4) * draws.below(4) + draws.below(3);
  return { active: views * (5_000 + draws.below(70_000)), views };
}
