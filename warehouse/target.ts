/** Where the rows of a delivery go, and how they take the place of earlier ones. */

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
   * `merge`: rows are merged by key; a row of the first table that comes again takes the place of the one before and of
   * that one's rows in the other tables, which hold its key too.
   */
  readonly how: 'replace' | 'merge';
  /** Never empty. Rows of files are counted in the first. */
  readonly tables: readonly [TargetTable, ...TargetTable[]];
  /** UTC day of the delivery. */
  readonly date: string;
}
