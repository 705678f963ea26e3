/** Where a generated day is flawed on purpose: duplicates and rows that Postgres cannot take, spread evenly over the day. */

import { placeKinds } from '../flaw-places.js';

/** How many of each; all count within the day's rows. */
export interface Flaws {
  /** Rows that repeat the row before them, in the same part. */
  readonly duplicatesWithin?: number;
  /** Rows that repeat a row of another part; needs at least two parts. */
  readonly duplicatesAcross?: number;
  /** Rows without a uuid. */
  readonly nullUuid?: number;
  /** Rows with a NUL character in `referer`, which Parquet holds and Postgres text refuses. */
  readonly nulCharacter?: number;
  /** Rows with a NUL character inside `attributes`, which jsonb refuses. */
  readonly nulInJson?: number;
  /** Rows whose timestamp lies before 4714 BC, where Postgres' calendar begins. */
  readonly outOfRange?: number;
}

export interface PlacedFlaws {
  readonly quarantined: number;
  readonly duplicates: number;
  /** First row number of a part; that of part `parts` is the number of rows. */
  firstOf(part: number): number;
  /** Expression over `i`: the row number whose data row `i` shows. */
  sourceOf(first: number, last: number): string;
  /** The columns with the flaws of the row numbers from `first` to `last`. */
  apply(columns: Map<string, string>, first: number, last: number): Map<string, string>;
}

type Kind = keyof Flaws;

const bad = ['nullUuid', 'nulCharacter', 'nulInJson', 'outOfRange'] as const satisfies readonly Kind[];
const repeated = ['duplicatesWithin', 'duplicatesAcross'] as const satisfies readonly Kind[];

export function placeFlaws(flaws: Flaws, rows: number, parts: number): PlacedFlaws {
  const firstOf = (part: number): number => Math.floor((part * rows) / parts);
  const kinds = [...repeated, ...bad].flatMap((kind) => Array<Kind>(flaws[kind] ?? 0).fill(kind));
  if ((flaws.duplicatesAcross ?? 0) > 0 && parts < 2)
    throw new RangeError('duplicatesAcross needs two parts');

  const starts = new Set(Array.from({ length: parts }, (_, part) => firstOf(part)));
  const placed = placeKinds(kinds, rows, (row) => starts.has(row));

  const sources = new Map<number, number>();
  const taken = new Set<number>();
  for (const [row, kind] of placed) {
    if (kind === 'duplicatesWithin') sources.set(row, row - 1);
    if (kind !== 'duplicatesAcross') continue;
    const part =
      Array.from({ length: parts }, (_, index) => index).findLast((index) => firstOf(index) <= row) ?? 0;
    let other = firstOf((part + 1) % parts);
    while (placed.has(other) || taken.has(other)) other += 1;
    taken.add(other);
    sources.set(row, other);
  }

  return {
    quarantined: count(flaws, bad),
    duplicates: count(flaws, repeated),
    firstOf,
    sourceOf(first, last) {
      const cases = [...sources].filter(([row]) => row >= first && row < last);
      if (cases.length === 0) return 'i';
      return `CASE i ${cases.map(([row, other]) => `WHEN ${row} THEN ${other}`).join(' ')} ELSE i END`;
    },
    apply(columns, first, last) {
      const result = new Map(columns);
      const spoil = (kind: Kind, field: string, value: string): void => {
        const numbers = [...placed]
          .filter(([row, at]) => at === kind && row >= first && row < last)
          .map(([row]) => row);
        const good = result.get(field);
        if (numbers.length > 0 && good !== undefined)
          result.set(field, `CASE WHEN i IN (${numbers.join(', ')}) THEN ${value} ELSE ${good} END`);
      };
      spoil('nullUuid', 'uuid', 'NULL');
      spoil('nulCharacter', 'referer', `'https://shop.example/' || chr(0)`);
      spoil(
        'nulInJson',
        'attributes',
        `[{'id': NULL, 'name': 'broken', 'type': 'custom', 'value': 'a' || chr(0) || 'b'}]`,
      );
      spoil('outOfRange', 'timestamp', `epoch_ms(-220000000000000)::TIMESTAMP_MS`);
      return result;
    },
  };
}

function count(flaws: Flaws, kinds: readonly Kind[]): number {
  return kinds.reduce((sum, kind) => sum + (flaws[kind] ?? 0), 0);
}
