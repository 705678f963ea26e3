/** What tables and ledger have to hold of live deliveries, whatever happened before: written down without the warehouse. */

import { rowsOfFile, type CopyFile, type CopyLine, type Held, type Shape } from './copies.js';

/** Files of each live delivery. */
export type Live = ReadonlyMap<string, readonly CopyFile[]>;

interface Placed {
  readonly delivery: string;
  readonly file: CopyFile;
  readonly number: number;
  readonly line: CopyLine;
}

type Fate = 'loaded' | 'duplicate' | 'conflicting' | 'superseded';

/** The newer one first: by newness, then by name as people count, then by line. */
function newerFirst(a: Placed, b: Placed): number {
  const text = (one: string, other: string): number => (one === other ? 0 : one < other ? 1 : -1);
  return (
    text(a.file.newness, b.file.newness) ||
    b.file.key.length - a.file.key.length ||
    text(a.file.key, b.file.key) ||
    b.number - a.number
  );
}

function firstByName(a: Placed, b: Placed): number {
  return a.file.key === b.file.key ? a.number - b.number : a.file.key < b.file.key ? -1 : 1;
}

export function expectedCopies(live: Live, shape: Shape): Held {
  const placed: Placed[] = [...live].flatMap(([delivery, files]) =>
    files.flatMap((file) => file.lines.map((line, index) => ({ delivery, file, number: index + 1, line }))),
  );
  const fates = new Map<Placed, Fate>();
  const by = new Map<Placed, string>();
  /** Judges rows of one key against the newest; of those that say the same as it the first by `order` is left. */
  const judge = (rows: readonly Placed[], order: typeof newerFirst): readonly Placed[] => {
    const newest = rows.toSorted(newerFirst)[0];
    if (newest === undefined) return [];
    const same = rows.filter(({ line }) => isSame(line, newest.line)).toSorted(order);
    for (const one of rows) fates.set(one, same.includes(one) ? 'duplicate' : 'conflicting');
    return same.slice(0, 1);
  };
  for (const session of new Set(placed.map(({ line }) => line.session))) {
    const all = placed.filter(({ line }) => line.session === session);
    const left = [...live].flatMap(([delivery, files]) => {
      const rows = all.filter((one) => one.delivery === delivery && one.file.table === 'session');
      const items = all.filter((one) => one.delivery === delivery && one.file.table === 'item');
      if (shape !== 'adding') return [...judge(rows, firstByName), ...items];
      // Each file has its best, which is then compared with the others'.
      const ofFiles = files.flatMap((file) =>
        judge(
          rows.filter((one) => one.file === file),
          firstByName,
        ),
      );
      return judge(ofFiles, newerFirst);
    });
    const winner = left.toSorted(newerFirst)[0]?.delivery ?? '';
    for (const one of left) {
      fates.set(one, one.delivery === winner ? 'loaded' : 'superseded');
      if (one.delivery !== winner) by.set(one, winner);
    }
  }
  const files = [...live].flatMap(([, some]) => some);
  return {
    rows: [...live].flatMap(([, some]) => rowsSeen(some, placed, fates)).sort(),
    files: files.map((file) => counted(file, placed, fates, by)).sort(),
    quarantine: placed
      .filter((one) => fates.get(one) === 'conflicting')
      .map(({ file, number }) => `${file.key} ${file.version} ${number}`)
      .sort(),
  };
}

function isSame(a: CopyLine, b: CopyLine): boolean {
  return a.says === b.says && a.items === b.items;
}

function rowsSeen(
  files: readonly CopyFile[],
  placed: readonly Placed[],
  fates: ReadonlyMap<Placed, Fate>,
): readonly string[] {
  const ordinals = new Map<string, number>();
  return files.flatMap((file) => {
    const { session, item } = rowsOfFile(file, ordinals);
    const isSeen = (line: number): boolean =>
      fates.get(placed.find((one) => one.file === file && one.number === line)!) === 'loaded';
    return [
      ...session.map((row) => ['session', row.session_id, row.says, file.key, file.version, row._line]),
      ...item.map((row) => [
        'item',
        row.session_id,
        row.ordinal,
        row.says,
        file.key,
        file.version,
        row._line,
      ]),
    ]
      .filter((row) => isSeen(Number(row.at(-1))))
      .map((row) => row.join(' '));
  });
}

function counted(
  file: CopyFile,
  placed: readonly Placed[],
  fates: ReadonlyMap<Placed, Fate>,
  by: ReadonlyMap<Placed, string>,
): string {
  const mine = placed.filter((one) => one.file === file);
  const count = (fate: Fate): number => mine.filter((one) => fates.get(one) === fate).length;
  const winners = [...new Set(mine.flatMap((one) => by.get(one) ?? []))].sort();
  return [
    ...[
      file.key,
      file.version,
      count('loaded'),
      count('duplicate'),
      count('conflicting'),
      count('superseded'),
    ],
    ...winners.map((winner) => `${winner}:${mine.filter((one) => by.get(one) === winner).length}`),
  ].join(' ');
}
