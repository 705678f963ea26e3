/** What goes wrong on purpose with files of a running Monetate. */

import { quarter, type MonetateFile } from './files.js';

export interface Flaw {
  /**
   * `late`: it comes so much later. `rewritten`: at first it has two thirds of its sessions, and so much later it is written
   * anew with all. `breaks off`: its upload never ends, and nothing else is done about it. `repeated`: so much later all of
   * its sessions come again, in another file of the interval. `bad lines`: some of its lines cannot be loaded. `empty`:
   * beside it, another file of the interval has no line at all.
   */
  readonly flaw: 'late' | 'rewritten' | 'breaks off' | 'repeated' | 'bad lines' | 'empty';
  /** When its interval begins, in epoch milliseconds. */
  readonly interval: number;
  /** Which of the interval's files, from 0. Default 0. */
  readonly file?: number;
  /** Milliseconds. Default 3 hours. */
  readonly by?: number;
}

/** A file that is to be written at its time, from the first byte to the last or without ever ending. */
export interface PlannedWrite {
  readonly file: MonetateFile;
  readonly ends: boolean;
}

/** Each is a bad one: cut, no object, no session, without its key, not of the column's type, and no text for Postgres. */
export const badLines: readonly string[] = [
  '{"session_id":"cut","guid":"1234:5.1","page_vi',
  '["no object"]',
  '{}',
  '{"guid":"1234:5.1","page_views":3}',
  '{"session_id":"untyped","guid":"1234:5.1","page_views":"n/a"}',
  String.raw`{"session_id":"nul","guid":"1234:5.1","city":"broken\u0000city"}`,
];

/** In the order of time. Throws RangeError where a flaw's file is not there. */
export function planWrites(files: readonly MonetateFile[], flaws: readonly Flaw[]): readonly PlannedWrite[] {
  const flawed = new Map<MonetateFile, Flaw>();
  for (const flaw of flaws) {
    const file = files.filter(({ interval }) => interval === flaw.interval)[flaw.file ?? 0];
    if (file === undefined || flawed.has(file)) {
      const when = new Date(flaw.interval).toISOString();
      throw new RangeError(`there is no file ${flaw.file ?? 0} of ${when} that could be '${flaw.flaw}'`);
    }
    flawed.set(file, flaw);
  }
  return files
    .flatMap((file) => writesOf(file, flawed.get(file)))
    .sort((one, other) => one.file.at - other.file.at);
}

/** What lies there in the end and is whole: the last version of each file, in the order of time. */
export function wholeFiles(writes: readonly PlannedWrite[]): readonly MonetateFile[] {
  const last = new Map<string, MonetateFile>();
  for (const { file, ends } of writes) {
    last.delete(file.key);
    if (ends) last.set(file.key, file);
  }
  return [...last.values()];
}

function writesOf(file: MonetateFile, flaw: Flaw | undefined): readonly PlannedWrite[] {
  const whole = (more: Partial<MonetateFile> = {}): PlannedWrite => ({
    file: { ...file, ...more },
    ends: true,
  });
  const later = file.at + (flaw?.by ?? 12 * quarter);
  switch (flaw?.flaw) {
    case undefined:
      return [whole()];
    case 'late':
      return [whole({ at: later })];
    case 'rewritten':
      return [
        whole({ sessions: file.sessions.slice(0, Math.floor((file.sessions.length * 2) / 3)) }),
        whole({ at: later }),
      ];
    case 'breaks off':
      return [{ file, ends: false }];
    case 'repeated':
      return [whole(), whole({ key: another(file.key, 'again'), at: later })];
    case 'bad lines':
      return [whole({ badLines })];
    case 'empty':
      return [whole(), whole({ key: another(file.key, 'empty'), sessions: [] })];
  }
}

/** Another file of the interval. */
function another(key: string, what: string): string {
  return key.replace(/\.json\.gz$/, `-${what}.json.gz`);
}

/** What lies beside a day's files and is none of them, by its key: other names, and a folder with a file in it. */
export function strangersIn({ key }: MonetateFile): readonly string[] {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return ['README.txt', `${name}.tmp`, `.${name}.x4Tq`, `archive/${name}`].map((one) =>
    key.replace(name, one),
  );
}
