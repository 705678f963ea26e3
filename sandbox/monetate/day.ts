/** Which files the sessions of some days come in, and when the vendor writes them. */

import { addDays, dayOf, startOfDay } from '../../model/day.js';
import { drawsOf } from '../leanplum/draws.js';
import { fileKey, intervalOf, quarter, type MonetateFile } from './files.js';
import type { Session } from './session.js';
import { makeSessions, type SessionsToMake } from './sessions.js';

export interface VendorDay extends SessionsToMake {
  /** Whether sessions go on after midnight. False: those that would are left out, and the next day has none of them. Default true. */
  readonly overnight?: boolean;
}

export interface HowFilesCome {
  /** Files of an interval, unless it has fewer sessions. Default 2. */
  readonly filesPerInterval?: number;
  /** Milliseconds from the end of an interval to its first file; the others come 20 seconds apart. Default 4 minutes. */
  readonly delay?: number;
}

/** Every file of these days' sessions, in the order in which they are written. An interval without sessions has none. */
export function planFiles(days: readonly VendorDay[], how: HowFilesCome = {}): readonly MonetateFile[] {
  const intervals = new Map<number, Session[]>();
  for (const session of days.flatMap(sessionsOf)) {
    const interval = intervalOf(session.end_time);
    intervals.set(interval, [...(intervals.get(interval) ?? []), session]);
  }
  return [...intervals]
    .sort(([one], [other]) => one - other)
    .flatMap(([interval, sessions]) => filesOf(interval, sessions, how));
}

/** The files of one day's folder. */
export function filesOfFolder(files: readonly MonetateFile[], date: string): readonly MonetateFile[] {
  return files.filter((file) => file.date === date);
}

/** The sessions that began on a day, whatever files they are in. */
export function begunOn(files: readonly MonetateFile[], date: string): readonly Session[] {
  return files.flatMap(({ sessions }) => sessions.filter(({ start_time: start }) => dayOf(start) === date));
}

function sessionsOf(day: VendorDay): readonly Session[] {
  const sessions = makeSessions(day);
  const midnight = startOfDay(addDays(day.date, 1));
  return day.overnight === false ? sessions.filter(({ end_time: end }) => end < midnight) : sessions;
}

function filesOf(
  interval: number,
  sessions: readonly Session[],
  { filesPerInterval = 2, delay = 4 * 60_000 }: HowFilesCome,
): readonly MonetateFile[] {
  const ended = sessions.toSorted(
    (a, b) => a.end_time - b.end_time || a.session_id.localeCompare(b.session_id),
  );
  return Array.from({ length: Math.min(filesPerInterval, ended.length) }, (_, number) =>
    fileOf(
      interval,
      number,
      delay,
      ended.filter((__, index) => index % filesPerInterval === number),
    ),
  );
}

/** File `number` of an interval. */
export function fileOf(
  interval: number,
  number: number,
  delay: number,
  sessions: readonly Session[],
): MonetateFile {
  const at = interval + quarter + delay + number * 20_000;
  // As real ones are: an instant in milliseconds, and no two of an interval alike.
  const unique = String(at + drawsOf(`file ${interval} ${number}`).below(20_000));
  return { key: fileKey(interval, unique), date: dayOf(interval), interval, at, sessions };
}
