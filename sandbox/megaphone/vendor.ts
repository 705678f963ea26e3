/** A Megaphone that runs: it writes its files hour by hour, on a clock that may be fast. */

import { startOfDay } from '../../model/day.js';
import { planWrites, type VendorDay } from './schedule.js';
import { realClock, writeWhenDue, type Clock, type Put, type WrittenFile } from './writes.js';

export interface MegaphoneOptions {
  readonly put: Put;
  /** In any order; the vendor ends after the last write of the last of them. */
  readonly days: readonly VendorDay[];
  /** How long an hour of the vendor's takes, in milliseconds. */
  readonly hourLasts: number;
  /** The vendor's time when it starts, in epoch milliseconds. Default: the start of the first day. */
  readonly startAt?: number;
  /** Stops it too. */
  readonly signal?: AbortSignal;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

export interface Megaphone {
  /** What it has put so far, in that order. */
  readonly written: readonly WrittenFile[];
  /** The vendor's time, in epoch milliseconds. */
  readonly now: () => number;
  /** Settles when the last file is put, or soon after a stop; rejects with the error of a write. */
  readonly done: Promise<void>;
  /** Breaks off what is being written, and gives `done`. */
  readonly stop: () => Promise<void>;
}

export function startMegaphone(options: MegaphoneOptions): Megaphone {
  const { put, days, hourLasts, clock = realClock } = options;
  const [first] = days.map(({ date }) => date).sort();
  if (first === undefined) throw new RangeError('a vendor needs a day');
  const startAt = options.startAt ?? startOfDay(first);
  const begun = clock.now();
  const scale = hourLasts / 3_600_000;
  const writes = planWrites(days)
    .filter(({ at }) => at >= startAt)
    .map((write) => ({ ...write, due: begun + (write.at - startAt) * scale }));
  const written: WrittenFile[] = [];
  const running = untilStopped(options.signal, (signal) =>
    writeWhenDue(writes, { put, clock, signal, onWritten: (file) => void written.push(file) }),
  );
  return { written, now: () => startAt + (clock.now() - begun) / scale, ...running };
}

/** Runs `work` until it ends, the signal is aborted, or it is stopped. */
export function untilStopped(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Pick<Megaphone, 'done' | 'stop'> {
  const own = new AbortController();
  const done = work(signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]));
  // Whoever stops it is told of an error; nobody has to listen before that.
  done.catch(() => undefined);
  return {
    done,
    stop: () => {
      own.abort();
      return done;
    },
  };
}
