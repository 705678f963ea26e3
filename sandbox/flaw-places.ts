/**
 * Spreads flaws evenly over a file's rows: row number to kind. The row before a flaw has none, so that a flaw may
 * repeat it. Throws RangeError where they do not fit.
 *
 * @param isTaken says that a row, or a repetition of the row before it, cannot stand here
 */
export function placeKinds<Kind>(
  kinds: readonly Kind[],
  rows: number,
  isTaken: (row: number) => boolean,
): Map<number, Kind> {
  // A repeated row needs an untouched one before it, hence every second row at most.
  if (kinds.length * 3 > rows) throw new RangeError(`${kinds.length} flaws do not fit into ${rows} rows`);
  const placed = new Map<number, Kind>();
  // Neighbours in the list go to neighbouring places, so kinds are dealt out in turn over the day.
  const turn = kinds.map((kind, index) => ({ kind, place: (index * 7919) % Math.max(1, kinds.length) }));
  for (const [index, { kind }] of turn.sort((a, b) => a.place - b.place).entries()) {
    let row = Math.floor(((index + 0.5) * rows) / kinds.length);
    while (isTaken(row) || placed.has(row) || placed.has(row - 1)) row += 1;
    if (row >= rows) throw new RangeError(`${kinds.length} flaws do not fit between the ${rows} rows`);
    placed.set(row, kind);
  }
  return placed;
}
