/** Where a file is flawed on purpose, spread evenly over its rows. A flaw spoils this file, not the day's other versions. */

import { placeKinds } from '../flaw-places.js';
import type { JsonColumns, MetricField } from './rows.js';

/** How many of each. All but blank lines count within the rows of the version; those come on top. */
export interface Flaws {
  /** Lines that end in the middle. */
  readonly malformedJson?: number;
  /** Lines of valid JSON that hold an array. */
  readonly notAnObject?: number;
  /** Lines with the byte FF in `user_agent`. */
  readonly brokenUtf8?: number;
  /** Lines with the byte 00 in `user_agent`. */
  readonly rawNul?: number;
  /** Lines with the escape for NUL in `user_agent`: valid JSON, and no text for Postgres. */
  readonly escapedNul?: number;
  /** Lines with half of a surrogate pair, escaped, in `user_agent`. */
  readonly loneSurrogate?: number;
  /** Lines whose `seconds_downloaded` is the string `n/a`. */
  readonly untypedNumber?: number;
  /** Lines whose `filesize` is 1 followed by 30 zeros. */
  readonly numberTooLarge?: number;
  /** Lines without `id`. */
  readonly missingId?: number;
  /** Lines that repeat the line before them, in place of their own metric. */
  readonly duplicateId?: number;
  /** Lines with the key `delivery_region`, which holds an object. They are good lines. */
  readonly unknownKey?: number;
  /** Lines of about `longLineBytes`. They are good lines. */
  readonly longLine?: number;
  /** Default 10,000,000. */
  readonly longLineBytes?: number;
  /** Empty lines. They are no rows. */
  readonly blankLine?: number;
  /** Metrics that an earlier version had and this one has lost, against the vendor's word. */
  readonly lost?: number;
}

const bad = [
  'malformedJson',
  'notAnObject',
  'brokenUtf8',
  'rawNul',
  'escapedNul',
  'loneSurrogate',
  'untypedNumber',
  'numberTooLarge',
  'missingId',
] as const satisfies readonly (keyof Flaws)[];
const kinds = [...bad, 'duplicateId', 'unknownKey', 'longLine', 'blankLine'] as const;
type Kind = (typeof kinds)[number];

export interface PlacedFlaws {
  /** Lines that hold something, whether it can be loaded or not. */
  readonly rows: number;
  readonly quarantined: number;
  readonly duplicates: number;
  readonly blankLines: number;
  /** Whether the metric of this number can be loaded. */
  readonly isLoadable: (number: number) => boolean;
  /** Relation of `i`, the row's number, and `j`, the number of the metric that it shows. */
  readonly numbers: string;
  readonly columns: (columns: JsonColumns<MetricField>) => JsonColumns<MetricField>;
  /** BLOB expression of a whole line with its line feed, made of the line's text. */
  readonly bytes: (line: string) => string;
}

/** @param rows metrics of the version */
export function placeFlaws(flaws: Flaws, rows: number): PlacedFlaws {
  const lost = flaws.lost ?? 0;
  const step = lost === 0 ? Infinity : Math.floor(rows / lost);
  if (step < 3) throw new RangeError(`${lost} of ${rows} rows are too many to lose`);
  const isLost = (row: number): boolean => row >= 0 && row % step === 0 && row / step < lost;
  const placed = placeKinds(
    kinds.flatMap((kind) => Array<Kind>(flaws[kind] ?? 0).fill(kind)),
    rows,
    // The first row has none before it that it could repeat.
    (row) => row === 0 || isLost(row) || isLost(row - 1),
  );
  const unloadable = new Set<Kind>([...bad, 'duplicateId']);

  const at = (kind: Kind): string | undefined => {
    const numbers = [...placed].filter(([, placedKind]) => placedKind === kind).map(([number]) => number);
    return numbers.length === 0 ? undefined : `i IN (${numbers.join(', ')})`;
  };
  /** `good`, but `flawed` at the rows of a kind. */
  const where = (kind: Kind, flawed: string, good: string): string => {
    const condition = at(kind);
    return condition === undefined ? good : `CASE WHEN ${condition} THEN ${flawed} ELSE ${good} END`;
  };

  return {
    rows: rows - lost,
    quarantined: bad.reduce((sum, kind) => sum + (flaws[kind] ?? 0), 0),
    duplicates: flaws.duplicateId ?? 0,
    blankLines: flaws.blankLine ?? 0,
    isLoadable: (number) => {
      const kind = placed.get(number);
      return !isLost(number) && (kind === undefined || !unloadable.has(kind));
    },
    numbers: `
      SELECT i, ${where('duplicateId', 'i - 1', 'i')} AS j
      FROM range(${rows}) AS numbers(i)
      ${lost === 0 ? '' : `WHERE NOT (i % ${step} = 0 AND i // ${step} < ${lost})`}`,
    columns: (columns) => {
      const agents: readonly [Kind, string][] = [
        ['brokenUtf8', `'"broken"'`],
        ['rawNul', `'"broken' || chr(0) || 'agent"'`],
        ['escapedNul', String.raw`'"broken\u0000agent"'`],
        ['loneSurrogate', String.raw`'"broken\ud800agent"'`],
        ['longLine', `'"' || repeat('x', ${flaws.longLineBytes ?? 10_000_000}) || '"'`],
      ];
      return {
        ...columns,
        seconds_downloaded: where('untypedNumber', `'"n/a"'`, columns.seconds_downloaded),
        filesize: where('numberTooLarge', `'1${'0'.repeat(30)}'`, columns.filesize),
        id: where('missingId', 'NULL', columns.id),
        user_agent: agents.reduce((good, [kind, text]) => where(kind, text, good), columns.user_agent),
      };
    },
    bytes: (line) => {
      const whole = where('unknownKey', `left(${line}, -1) || ',"delivery_region":{"zone":"eu-1"}}'`, line);
      const text = where(
        'malformedJson',
        `left(${line}, 100)`,
        where('notAnObject', `'["no object"]'`, whole),
      );
      return where(
        'brokenUtf8',
        // FF is in no character's encoding. It comes before the quotation mark that ends the last value.
        String.raw`encode(left(${line}, -2)) || '\xFF'::BLOB || encode('"}' || chr(10))`,
        `encode(${where('blankLine', 'chr(10)', `''`)} || ${text} || chr(10))`,
      );
    },
  };
}
