/**
 * Numbers with more digits than DuckDB keeps. It holds a fraction of JSON's as a double, which has 15 digits, and a number
 * nearer to nothing than a double can be as 0; whole numbers keep theirs. So such a number is made a text before the line
 * is parsed, with a mark by which it is known afterwards. Pure.
 */

import { literal } from '../duckdb.js';
import { longestNumber, type Fault } from '../typing.js';

/** How much of what came before is needed to see a number that goes on. */
export const numberOverlap = 64;

const [point, zero, nine, space] = [0x2e, 0x30, 0x39, 0x20];
const beforeNumber = new Set(Buffer.from(':,[ \t-'));
const afterDigits = new Set(Buffer.from(',}] \t\r\neE'));

/** Whether there may be such a number in some bytes. One that the bytes break off in counts; so may what is in a text. */
export function mayHaveLongNumber(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(point); at >= 0; at = bytes.indexOf(point, at + 1)) {
    const from = digitsBefore(bytes, at);
    const to = digitsAfter(bytes, at + 1);
    if (at - from < 7 && to - at - 1 < 9) continue;
    if (beforeNumber.has(bytes[from - 1] ?? space) && afterDigits.has(bytes[to] ?? space)) return true;
  }
  for (const exponent of ['e-', 'E-']) {
    for (let at = bytes.indexOf(exponent); at >= 0; at = bytes.indexOf(exponent, at + 1)) {
      if (isDigit(bytes[at - 1]) && digitsAfter(bytes, at + 2) >= Math.min(at + 5, bytes.length)) return true;
    }
  }
  return false;
}

function digitsBefore(bytes: Buffer, end: number): number {
  let at = end;
  while (isDigit(bytes[at - 1])) at -= 1;
  return at;
}

function digitsAfter(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

/** Seven digits before the point, nine behind it, or three in a negative exponent: all that has more than 15, and more. */
const long =
  '-?[0-9]{7,}[.][0-9]+(?:[eE][+-]?[0-9]+)?|-?[0-9]+[.][0-9]{9,}(?:[eE][+-]?[0-9]+)?|' +
  '-?[0-9]+(?:[.][0-9]+)?[eE]-[0-9]{3,}';

export interface LongNumbers {
  /** The JSON with such numbers as texts. */
  readonly marked: (json: string) => string;
  /** Of JSON, or of a text out of it: as it was. */
  readonly plain: (value: string) => string;
  /** `json` is a line as it came. */
  readonly faults: (json: string) => readonly Fault[];
}

export const noLongNumbers: LongNumbers = {
  marked: (json) => json,
  plain: (value) => value,
  faults: () => [],
};

/** `mark` stands nowhere else. */
export function longNumbers(mark: string): LongNumbers {
  const there = (json: string): string => `regexp_matches(${json}::varchar, ${literal(long)})`;
  // Texts apart from what is between them.
  const tokens = (json: string): string =>
    `regexp_extract_all(${json}::varchar, '"(?:[^"\\\\]|\\\\.)*"|[^"]+')`;
  const outside = `case when starts_with(token, '"') then token
    else regexp_replace(token, ${literal(`(${long})`)}, ${literal(`"${mark}\\1"`)}, 'g') end`;
  const numbers = `list_filter(${tokenNumbers('token')}, lambda number : strlen(number) > ${longestNumber})`;
  return {
    marked: (json) =>
      `case when ${there(json)}
      then array_to_string(list_transform(${tokens(json)}, lambda token : ${outside}), '')::json else ${json} end`,
    plain: (value) =>
      `replace(regexp_replace(${value}::varchar, ${literal(`"${mark}([^"]*)"`)}, '\\1', 'g'), ${literal(mark)}, '')`,
    faults: (json) => [
      {
        when: `case when strlen(${json}::varchar) > ${longestNumber} and ${there(json)} then len(list_filter(${tokens(json)},
        lambda token : not starts_with(token, '"') and len(${numbers}) > 0)) > 0 end`,
        reason: literal(`the line holds a number that is longer than ${longestNumber} letters`),
      },
    ],
  };
}

function tokenNumbers(token: string): string {
  return `regexp_extract_all(${token}, '-?[0-9][0-9.eE+-]*')`;
}
