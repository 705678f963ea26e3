/**
 * The words of Landfall.
 *
 * - A *source* is one configured feed of one vendor account. It owns one Postgres schema.
 * - A *delivery* is what the vendor completes as one whole: the unit of work and of truth.
 * - *Finality* is how far a delivery has come, and whether its rows may still change.
 */

/** `waiting` → `loading` → `provisional` → `final`; or an end without (new) rows. */
export const finalities = [
  'waiting',
  'loading',
  'provisional',
  'final',
  'discarded',
  'skipped',
  'failed',
] as const;

export type Finality = (typeof finalities)[number];

/** A delivery that came to rest: nothing runs for it until a person or a new version asks. */
export function isSettled(finality: Finality): boolean {
  return finality === 'final' || finality === 'discarded' || finality === 'skipped' || finality === 'failed';
}

export interface Delivery {
  /** The business name that is workflow id, ledger key and what a person types: `experiments/events/2020-05-25`. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** `YYYY-MM-DD`: the UTC day that it is, or the day that its vendor files it under. */
  readonly date: string;
  /** Its files are the results of an export that somebody asked the vendor for, under this id, and not in the store. */
  readonly exportJob?: string;
}

/** `name` is what the vendor calls it within its source: `events/2020-05-25`. */
export function deliveryId(source: string, name: string): string {
  return `${source}/${name}`;
}

/** What the vendor calls it within its source. */
export function nameOf({ id, source }: Delivery): string {
  return id.slice(source.length + 1);
}
