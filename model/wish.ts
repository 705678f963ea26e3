/** What people ask of a delivery, from the asking until it is done or refused. Pure. */

/** `pause` and `resume` are not among them: they are done as soon as they are heard. */
export const wishKinds = ['reprocess', 'accept', 'skip', 'discard'] as const;
export type WishKind = (typeof wishKinds)[number];

export interface Wish {
  readonly kind: WishKind;
  readonly reason: string;
  /** Of the change of the ledger by which it was written down: its name from then on. */
  readonly request: string;
}

/** What is left to do, as the ledger has it. */
export interface LedgerWish {
  /** A kind of wish; or `reprocess and accept`, which go together. */
  readonly wish: string;
  /** Of the newest. */
  readonly reason: string;
  readonly request: string;
}

/**
 * What is left to do when one more thing is asked for. The last wish counts: loading calls off an ending that has not
 * begun, and the other way round. `reprocess` and `accept` go together. `skip` leaves everything as it is, a discard that
 * is under way included.
 */
export function withWish(wishes: readonly Wish[], wish: Wish): readonly Wish[] {
  if (wish.kind === 'discard') return [wish];
  if (wish.kind === 'skip') return wishes.some(({ kind }) => kind === 'discard') ? wishes : [wish];
  const other = wish.kind === 'reprocess' ? 'accept' : 'reprocess';
  return [...wishes.filter(({ kind }) => kind === other), wish];
}

export function toLedger(wishes: readonly Wish[]): LedgerWish | undefined {
  const newest = wishes.at(-1);
  if (!newest) return undefined;
  const wish = wishes.map(({ kind }) => kind).join(' and ');
  return { wish, reason: newest.reason, request: newest.request };
}

export function fromLedger({ wish, ...of }: LedgerWish): readonly Wish[] {
  const kinds = wish.split(' and ').flatMap((word) => wishKinds.filter((kind) => kind === word));
  return kinds.map((kind) => ({ kind, ...of }));
}
