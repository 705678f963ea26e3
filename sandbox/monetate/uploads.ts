/** How files come to lie on the server: in two parts, so that each is seen to grow. */

import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Clock } from '../megaphone/writes.js';
import { strangersIn, type PlannedWrite } from './flaws.js';
import {
  fileLines,
  gzipLines,
  storeRoot,
  writtenFile,
  type MonetateFile,
  type WrittenFile,
} from './files.js';

export interface UploadsToPlan {
  /** What the SFTP server serves. */
  readonly directory: string;
  /** The vendor's milliseconds from a file's first part to the rest. */
  readonly lasts: number;
  /** Whether things lie in every day's folder that are none of the export's. */
  readonly strangers: boolean;
}

/** Part of an upload. */
export interface Step {
  /** The vendor's time, in epoch milliseconds. */
  readonly at: number;
  /** Gives the file that is whole by then. */
  readonly act: () => Promise<WrittenFile | undefined>;
}

/** In the order of time. Half of the files have another name until they are whole, as programs do it that upload files. */
export function planSteps(writes: readonly PlannedWrite[], how: UploadsToPlan): readonly Step[] {
  const folders = new Map(writes.toReversed().map(({ file }) => [file.date, file]));
  const strangers = how.strangers ? [...folders.values()].map((file) => putStrangers(file, how)) : [];
  return [...strangers, ...writes.flatMap((write) => stepsOf(write, isRenamed(write.file), how))].sort(
    (one, other) => one.at - other.at,
  );
}

/** By its name, so that an upload that was broken off is gone on with in the same way. */
function isRenamed({ key }: MonetateFile): boolean {
  return /[02468]\.json\.gz$/.test(key);
}

function stepsOf(
  { file, ends }: PlannedWrite,
  renamed: boolean,
  { directory, lasts }: UploadsToPlan,
): readonly Step[] {
  const path = join(directory, storeRoot, file.key);
  // What breaks off lies there under its own name: under another it would be passed over.
  const growing = renamed && ends ? `${path}.filepart` : path;
  let bytes: Uint8Array = Buffer.alloc(0);
  const half = (): number => Math.ceil(bytes.length / 2);
  const begin = async (): Promise<undefined> => {
    bytes = await gzipLines(fileLines(file));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(growing, bytes.subarray(0, half()));
  };
  const end = async (): Promise<WrittenFile> => {
    await appendFile(growing, bytes.subarray(half()));
    if (growing !== path) await rename(growing, path);
    const { length } = bytes;
    bytes = Buffer.alloc(0);
    return writtenFile(file, length);
  };
  return [{ at: file.at, act: begin }, ...(ends ? [{ at: file.at + lasts, act: end }] : [])];
}

function putStrangers(file: MonetateFile, { directory }: UploadsToPlan): Step {
  return {
    at: file.at,
    act: async () => {
      for (const key of strangersIn(file)) {
        const path = join(directory, storeRoot, key);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, 'This is no file of sessions.\n');
      }
      return undefined;
    },
  };
}

/** A step with its time by the clock. What is overdue is done at once. */
export interface DueStep extends Pick<Step, 'act'> {
  readonly due: number;
}

export interface Uploading {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onWritten: (file: WrittenFile) => void | Promise<void>;
}

/** Returns when everything is done, or soon after the signal: what was being uploaded then stays as it is. */
export async function uploadWhenDue(
  steps: readonly DueStep[],
  { clock, signal, onWritten }: Uploading,
): Promise<void> {
  for (const { due, act } of steps) {
    const wait = due - clock.now();
    if (wait > 0) {
      await clock.sleep(wait, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
    if (signal.aborted) return;
    const file = await act();
    if (file !== undefined) await onWritten(file);
  }
}
