/** What a source of lines rather than columns says of a row beside its columns: expressions over the source. */
export interface OfLine {
  /** The fields that the table has no column for, as a JSON object; null where there are none. */
  readonly extra: string;
  /** Why the line is no row at all; null where it is one. */
  readonly fault: string;
  /** The whole line as JSON; absent where its columns are all there is. */
  readonly object?: string;
}
