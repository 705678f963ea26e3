/** Many sessions at little cost, for measurements: lines that are made once, with another id each time. */

import { sessionLine } from './session.js';
import { makeSessions } from './sessions.js';

export interface BulkToMake {
  /** Default `bulk`. */
  readonly seed?: string;
  /** When the first of the lines ended, in epoch milliseconds; all of them lie within minutes of it. */
  readonly from: number;
  /** Only sessions whose lines have no more bytes; 896 makes 1,000 of them what the vendor sends at once. Default any. */
  readonly largest?: number;
}

/** Gives the next `count` sessions as lines. No two of them are the same session. */
export type NextLines = (count: number) => readonly string[];

const templates = 400;

/** 1,000 lines of 4 kB take a millisecond. Throws RangeError where no line is so short. */
export function bulkLines({ seed = 'bulk', from, largest = Infinity }: BulkToMake): NextLines {
  const made = makeSessions({ sessions: templates, from, every: 1, seed })
    .map((session) => ({ line: sessionLine(session), id: `"userSessionId":"${session.userSessionId}` }))
    .filter(({ line }) => Buffer.byteLength(line) <= largest)
    .map(({ line, id }) => {
      const end = line.indexOf(id) + id.length;
      return [line.slice(0, end), line.slice(end)] as const;
    });
  if (made.length === 0) throw new RangeError(`no session has a line of ${largest} bytes or less`);
  let number = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      const [head, tail] = made[number % made.length] ?? ['', ''];
      return `${head}-${number++}${tail}`;
    });
}
