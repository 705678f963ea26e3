/** A Leanplum that runs: it uploads its jobs when they are due, on a clock that may be fast. */

import { planUploads, uploadWhenDue, type UploadedFile, type VendorJob } from './uploads.js';
import { untilStopped } from '../megaphone/vendor.js';
import { realClock, type Clock, type Put } from '../megaphone/writes.js';

export interface LeanplumOptions {
  /** Keys are relative to the store's root. */
  readonly put: Put;
  /** In any order; the vendor ends after the last upload of the last of them. */
  readonly jobs: readonly VendorJob[];
  /** How long an hour of the vendor's takes, in milliseconds. */
  readonly hourLasts: number;
  /** The vendor's time when it starts, in epoch milliseconds; what was due before is left out. Default: the first upload. */
  readonly startAt?: number;
  /** Stops it too. */
  readonly signal?: AbortSignal;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

export interface Leanplum {
  /** What it has put so far, in that order. */
  readonly written: readonly UploadedFile[];
  /** The vendor's time, in epoch milliseconds. */
  readonly now: () => number;
  /** Settles when the last file is put, or soon after a stop; rejects with the error of an upload. */
  readonly done: Promise<void>;
  /** Breaks off what is being uploaded, and gives `done`. */
  readonly stop: () => Promise<void>;
}

/** Throws RangeError without jobs. */
export function startLeanplum(options: LeanplumOptions): Leanplum {
  const { put, hourLasts, clock = realClock } = options;
  const planned = planUploads(options.jobs);
  const [first] = planned;
  if (!first) throw new RangeError('a vendor needs a job');
  const startAt = options.startAt ?? first.at;
  const begun = clock.now();
  const scale = hourLasts / 3_600_000;
  const uploads = planned
    .filter(({ at }) => at >= startAt)
    .map((upload) => ({ ...upload, due: begun + (upload.at - startAt) * scale }));
  const written: UploadedFile[] = [];
  const running = untilStopped(options.signal, (signal) =>
    uploadWhenDue(uploads, { put, clock, signal, onUploaded: (file) => void written.push(file) }),
  );
  return { written, now: () => startAt + (clock.now() - begun) / scale, ...running };
}
