import type { Landing } from '../vendors/table.js';

/** Where the rows of a delivery go. */
export interface Target extends Landing {
  readonly schema: string;
  /** Day of the delivery, `YYYY-MM-DD`. */
  readonly date: string;
}
