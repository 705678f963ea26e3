const last = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * An instant in epoch ms as a text that sorts as instants do: `2026-11-20T14:30:00.000Z`. What a clock that was never set
 * gives counts as the nearest instant that has four digits for its year.
 */
export function sortableInstant(instant: number): string {
  const known = Number.isNaN(instant) ? 0 : instant;
  return new Date(Math.min(Math.max(known, 0), last)).toISOString();
}

/** For vendors whose files replace each other: the one that was written later is newer. */
export function whenWritten({ modified }: { readonly modified: number }): string {
  return sortableInstant(modified);
}
