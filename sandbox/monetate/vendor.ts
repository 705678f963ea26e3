/** A Monetate that runs: it writes the files of every quarter of an hour, on a clock that may be fast. */

import { untilStopped } from '../megaphone/vendor.js';
import { realClock, type Clock } from '../megaphone/writes.js';
import { planFiles, type HowFilesCome, type VendorDay } from './day.js';
import { quarter, type MonetateFile, type WrittenFile } from './files.js';
import { planWrites, wholeFiles, type Flaw } from './flaws.js';
import { planSteps, uploadWhenDue } from './uploads.js';

export interface MonetateOptions extends HowFilesCome {
  /** What the SFTP server serves. Files lie in the made-up account's folder there. */
  readonly directory: string;
  /** In any order; the vendor ends after the last file of their sessions, up to 12:30 of the day after the last of them. */
  readonly days: readonly VendorDay[];
  /** How long a quarter of an hour of the vendor's takes, in milliseconds. */
  readonly quarterLasts: number;
  /** The vendor's time when it starts, in epoch milliseconds; files that were due before are left out. Default: the first file. */
  readonly startAt?: number;
  /** The vendor's milliseconds from a file's first part to the rest. Default a minute. */
  readonly uploadLasts?: number;
  readonly flaws?: readonly Flaw[];
  /** Whether things lie in every day's folder that are none of the export's. Default false. */
  readonly strangers?: boolean;
  /** Stops it too. */
  readonly signal?: AbortSignal;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

export interface Monetate {
  /** Those that are whole when it is done: what is to land. */
  readonly files: readonly MonetateFile[];
  /** The files that are whole, in the order in which they became so. */
  readonly written: readonly WrittenFile[];
  /** The vendor's time, in epoch milliseconds. */
  readonly now: () => number;
  /** Settles when the last file is written, or soon after a stop; rejects with the error of a write. */
  readonly done: Promise<void>;
  /** Breaks off what is being uploaded, and gives `done`. */
  readonly stop: () => Promise<void>;
}

/** Throws RangeError where the days have no sessions, and where a flaw's file is not there. */
export function startMonetate(options: MonetateOptions): Monetate {
  const { directory, quarterLasts, clock = realClock } = options;
  const planned = planWrites(planFiles(options.days, options), options.flaws ?? []);
  const [first] = planned;
  if (first === undefined) throw new RangeError('a vendor needs a day with sessions');
  const startAt = options.startAt ?? first.file.at;
  const writes = planned.filter(({ file }) => file.at >= startAt);
  const begun = clock.now();
  const scale = quarterLasts / quarter;
  const steps = planSteps(writes, {
    directory,
    lasts: options.uploadLasts ?? 60_000,
    strangers: options.strangers ?? false,
  }).map(({ at, act }) => ({ act, due: begun + (at - startAt) * scale }));
  const written: WrittenFile[] = [];
  const running = untilStopped(options.signal, (signal) =>
    uploadWhenDue(steps, { clock, signal, onWritten: (file) => void written.push(file) }),
  );
  return {
    files: wholeFiles(writes),
    written,
    now: () => startAt + (clock.now() - begun) / scale,
    ...running,
  };
}
