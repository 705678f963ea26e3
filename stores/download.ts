import { open as openFile, type FileHandle } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';

import { Failure, failureTypes } from '../model/failure.js';
import { reportFault, reportRecovery } from './faults.js';
import type { FetchOptions, StoredFile } from './store.js';

/** A body, and the offset that its first byte has in the file. What is no stream has to end by itself when aborted. */
export interface Opened {
  readonly body: Readable | AsyncIterable<Buffer>;
  readonly from: number;
}

/** How a store gives out its files. */
export interface Source {
  /** Opens the listed version from an offset on, or from its start where the server ignores ranges. */
  readonly open: (file: StoredFile, offset: number, signal?: AbortSignal) => Promise<Opened> | Opened;
  /** Turns what went wrong into our taxonomy. */
  readonly explain: (fault: unknown) => unknown;
  /**
   * Only a body that ends well was the listed version to its end: so the last byte alone is not enough, and of a file
   * without a byte it is asked, too.
   */
  readonly endTells?: boolean;
  /** Whether a fault says that what came is not what was sent, although all of it came. Default: never. */
  readonly isDamage?: (fault: unknown) => boolean;
  /** Whether to go on at once after a fault that passes. Default: always. */
  readonly mayGoOn?: (fault: unknown) => boolean;
}

/** A file that came damaged is read again from its start this many times before the step as a whole is retried. */
const readsAnew = 2;

/** A cut download is resumed this many times without progress before the step as a whole is retried. */
const resumesWithoutProgress = 4;

/** Writes a file to `path`, going on after what has arrived where a connection was cut. */
export async function download(
  file: StoredFile,
  path: string,
  source: Source,
  options: FetchOptions = {},
): Promise<void> {
  const target = await openFile(path, 'w');
  try {
    let [have, best, attemptsInVain, damages] = [0, 0, 0, 0];
    let endedWell = source.endTells !== true;
    while (have < file.size || !endedWell) {
      let fault: unknown = new Error(`the connection ended after ${have} of ${file.size} bytes`);
      try {
        const { body, from } = await source.open(file, have, options.signal);
        if (options.signal && body instanceof Readable) addAbortSignal(options.signal, body);
        have = from;
        // Written at their place and waited for, one after the other: of a cut connection's last bytes, what counts is
        // what has reached the file, and nothing may reach it later.
        for await (const chunk of body as AsyncIterable<Buffer>) {
          await writeAll(target, chunk, have);
          have += chunk.length;
          if (have > best) reportRecovery();
          options.onBytes?.(chunk.length);
        }
        endedWell = true;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (error instanceof Failure && error.type !== failureTypes.storeUnavailable) throw error;
        if (source.mayGoOn?.(error) === false) throw error;
        if (source.isDamage?.(error) === true) {
          damages += 1;
          if (damages > readsAnew) throw source.explain(error);
          [have, best] = [0, 0];
        }
        fault = error;
      }
      if (have > file.size) throw source.explain(new Error(`more than its ${file.size} bytes came`));
      attemptsInVain = have > best ? 0 : attemptsInVain + 1;
      best = Math.max(best, have);
      if (have < file.size || !endedWell) {
        if (attemptsInVain >= resumesWithoutProgress) throw source.explain(fault);
        reportFault(source.explain(fault));
        await pause(100 * 2 ** attemptsInVain, options.signal);
      }
    }
  } finally {
    await target.close();
  }
}

async function writeAll(target: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await target.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}

/** Ends early, for the signal's reason, when it is aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(
    (error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    },
  );
}

/** The error for a file that is no longer the one that was listed. */
export function changed(store: string, file: StoredFile, how: string): Failure {
  return new Failure(
    failureTypes.fileChanged,
    `${store}${file.key} changed after it was listed as version ${file.version}: ${how}. The delivery is planned again.`,
  );
}

export function unquote(etag: string): string {
  return etag.replaceAll('"', '');
}
