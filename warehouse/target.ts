/** Where the rows of a delivery go, and how they take the place of earlier ones. */

import type { Completion } from '../vendors/table.js';

export interface TargetTable {
  /** Below the source's schema. */
  readonly name: string;
  /** Columns that identify a row: within the day for `replace`, of all rows for `merge`. */
  readonly key: readonly string[];
}

export interface Target {
  readonly schema: string;
  /**
   * `replace`: the delivery is a UTC day, complete in itself, and its rows become the day's partition of the one table.
   * `merge`: rows are merged by the key of the first table, which the others hold too; what comes under one takes the
   * place of all that was there under it.
   */
  readonly how: 'replace' | 'merge';
  /** Never empty. */
  readonly tables: readonly [TargetTable, ...TargetTable[]];
  /**
   * For `merge`: what is to be filled in before, each table once. A lookup finds rows as the entries before it have left
   * them.
   */
  readonly completes?: readonly Completion[];
  /** UTC day of the delivery. */
  readonly date: string;
}
