/**
 * Values from JSON as they are usually written into fields of Postgres' binary COPY: four bytes of length, then the value
 * in network order. Everything is taken from bytes and put into bytes, and what would need judgement is refused.
 */

import type { ColumnType } from '../../vendors/table.js';

/**
 * Writes the field of the value that stands in `lines` from `begin` to `end` (of a text, without its quotes). Returns the
 * position after the field, or -1 for a value that it does not take.
 */
export type ValueWriter = (
  lines: DataView,
  begin: number,
  end: number,
  rows: DataView,
  at: number,
  escaped: boolean,
) => number;

export const refuse: ValueWriter = () => -1;

/** Of jsonb, which is checked by nobody here, only null. */
export const valueWriters: Readonly<Record<ColumnType, ValueWriter>> = {
  text: writeText,
  timestamptz: writeInstant,
  bigint: writeWhole,
  'double precision': writeDouble,
  boolean: writeTruth,
  jsonb: refuse,
};

export function setInt32(rows: DataView, at: number, value: number): number {
  rows.setInt32(at, value);
  return at + 4;
}

/** Of a whole number that is exact in a double. */
export function setInt64(rows: DataView, at: number, value: number): number {
  const high = Math.floor(value / 2 ** 32);
  rows.setInt32(at, high);
  rows.setInt32(at + 4, value - high * 2 ** 32);
  return at + 8;
}

/** Days from 2000-01-01, which Postgres counts from, to a date written as `YYYY-MM-DD`. */
export function daysOf(date: string): number {
  return (Date.parse(date) - epoch) / 86_400_000;
}

const [quote, zero, nine, minus, point] = [0x22, 0x30, 0x39, 0x2d, 0x2e] as const;
const epoch = Date.UTC(2000, 0, 1);

function writeText(
  lines: DataView,
  begin: number,
  end: number,
  rows: DataView,
  at: number,
  escaped: boolean,
): number {
  if (lines.getUint8(begin - 1) !== quote) return -1;
  if (escaped) {
    const text = unescaped(bytesOf(lines).toString('utf8', begin - 1, end + 1));
    if (text === undefined) return -1;
    const length = bytesOf(rows).write(text, at + 4);
    return setInt32(rows, at, length) + length;
  }
  let to = setInt32(rows, at, end - begin);
  let from = begin;
  for (; from + 4 <= end; from += 4, to += 4) rows.setInt32(to, lines.getInt32(from));
  for (; from < end; from += 1, to += 1) rows.setUint8(to, lines.getUint8(from));
  return to;
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The text of a JSON string, if Postgres can hold it. */
function unescaped(json: string): string | undefined {
  try {
    const text = JSON.parse(json) as string;
    return text.includes('\0') || /\p{Surrogate}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Digits that any double holds exactly. */
const exactDigits = 15;

/** A number without a sign from the digits between two places; NaN where there are others, none or too many. */
function digits(lines: DataView, begin: number, end: number): number {
  if (begin >= end || end - begin > exactDigits) return NaN;
  let value = 0;
  for (let at = begin; at < end; at += 1) {
    const byte = lines.getUint8(at);
    if (byte < zero || byte > nine) return NaN;
    value = value * 10 + byte - zero;
  }
  return value;
}

/** The same as JSON has whole numbers: without zeros before it. */
function wholeDigits(lines: DataView, begin: number, end: number): number {
  return lines.getUint8(begin) === zero && end - begin > 1 ? NaN : digits(lines, begin, end);
}

function writeWhole(lines: DataView, begin: number, end: number, rows: DataView, at: number): number {
  const negative = lines.getUint8(begin) === minus;
  const value = wholeDigits(lines, negative ? begin + 1 : begin, end);
  if (Number.isNaN(value) || (negative && value === 0)) return -1;
  return setInt64(rows, setInt32(rows, at, 8), negative ? -value : value);
}

/** A whole number of up to 15 digits, divided by a power of ten that is exact too: rounded once, so as it should be. */
function writeDouble(lines: DataView, begin: number, end: number, rows: DataView, at: number): number {
  const negative = lines.getUint8(begin) === minus;
  const first = negative ? begin + 1 : begin;
  let dot = first;
  while (dot < end && lines.getUint8(dot) !== point) dot += 1;
  let value = wholeDigits(lines, first, dot);
  if (dot < end) {
    const places = end - dot - 1;
    if (dot - first + places > exactDigits) return -1;
    value = (value * 10 ** places + digits(lines, dot + 1, end)) / 10 ** places;
  }
  if (Number.isNaN(value) || (negative && value === 0)) return -1;
  const to = setInt32(rows, at, 8);
  rows.setFloat64(to, negative ? -value : value);
  return to + 8;
}

function writeTruth(lines: DataView, begin: number, end: number, rows: DataView, at: number): number {
  const truth = end - begin === asTrue.length && standsAt(lines, end, begin, asTrue);
  if (!truth && !(end - begin === asFalse.length && standsAt(lines, end, begin, asFalse))) return -1;
  const to = setInt32(rows, at, 1);
  rows.setUint8(to, truth ? 1 : 0);
  return to + 1;
}

/** Bytes that are compared with others four at a time. */
export interface Word {
  readonly length: number;
  readonly fours: Int32Array;
  readonly rest: Buffer;
}

export function wordOf(text: string): Word {
  const bytes = Buffer.from(text);
  const fours = new Int32Array(bytes.length >> 2).map((_, index) => bytes.readInt32BE(4 * index));
  return { length: bytes.length, fours, rest: bytes.subarray(4 * fours.length) };
}

/** `size` is that of the lines, which a view is slow to tell. */
export function standsAt(lines: DataView, size: number, at: number, word: Word): boolean {
  if (at + word.length > size) return false;
  const { fours, rest } = word;
  let place = at;
  for (let index = 0; index < fours.length; index += 1, place += 4) {
    if (lines.getInt32(place) !== fours[index]) return false;
  }
  for (let index = 0; index < rest.length; index += 1, place += 1) {
    if (lines.getUint8(place) !== rest[index]) return false;
  }
  return true;
}

const asTrue = wordOf('true');
const asFalse = wordOf('false');

/** `2026-03-01T00:00:14.265Z`, of the years whose microseconds are exact in a double: 1715 to 2285. */
function writeInstant(lines: DataView, begin: number, end: number, rows: DataView, at: number): number {
  if (end - begin !== instantForm.length) return -1;
  for (const place of instantMarks) if (lines.getUint8(begin + place) !== instantForm[place]) return -1;
  const hour = digits(lines, begin + 11, begin + 13);
  const minute = digits(lines, begin + 14, begin + 16);
  const second = digits(lines, begin + 17, begin + 19);
  const day = startOfDay(
    digits(lines, begin, begin + 4),
    digits(lines, begin + 5, begin + 7),
    digits(lines, begin + 8, begin + 10),
  );
  const milliseconds = day + digits(lines, begin + 20, begin + 23);
  // NaN is not less than anything.
  if (!(hour < 24 && minute < 60 && second < 60 && milliseconds < Infinity)) return -1;
  const microseconds = (milliseconds + hour * 3_600_000 + minute * 60_000 + second * 1_000) * 1_000;
  if (!Number.isSafeInteger(microseconds)) return -1;
  return setInt64(rows, setInt32(rows, at, 8), microseconds);
}

const instantForm = Buffer.from('0000-00-00T00:00:00.000Z');
const instantMarks = [4, 7, 10, 13, 16, 19, 23];

/** Milliseconds from 2000-01-01; NaN for what is no date. Rows come by day. */
function startOfDay(year: number, month: number, day: number): number {
  if (year !== last.year || month !== last.month || day !== last.day) {
    const date = new Date(Date.UTC(year, month - 1, day));
    const right =
      date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
    last = { year, month, day, start: right ? date.getTime() - epoch : NaN };
  }
  return last.start;
}

let last = { year: 0, month: 0, day: 0, start: NaN };
