/** The fields of a document's line. */

import type { Fate } from '../masks/fates.js';
import type { RawColumn } from '../typing.js';

/** Fields of the line that are read, by what DuckDB's tables call their raw values. */
export type Fields = ReadonlyMap<string, FieldOfLine>;

export interface FieldOfLine extends RawColumn {
  /** Absent: all of it is kept, or no column of JSON holds it. */
  readonly mask?: FieldMask | undefined;
}

/** A field that a column of JSON holds, and of which something is masked. */
export interface FieldMask {
  /** What DuckDB's table of lines calls what is left of it; rows are unfolded from that. */
  readonly as: string;
  /** Expression for it: JSON. */
  readonly json: string;
  readonly fate: Fate;
}

export function rawOf(fields: Fields, name: string): FieldOfLine {
  const raw = fields.get(name);
  if (raw === undefined) throw new RangeError(`the field ${name} is not among those that are read`);
  return raw;
}
