/** Goes on where a server is away for a while: whoever supervises it says so, and brings it back. */

import { setTimeout } from 'node:timers/promises';

import { isUnreachable } from '../with-ledger.js';

const pause = 500;
/** Milliseconds; longer than a server of our own needs to come back. */
const atMost = 5 * 60_000;

/** Repeats `work` while it fails for that reason. Throws other errors, and that one after the signal or five minutes. */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || signal.aborted || performance.now() - begun > atMost) throw error;
      await setTimeout(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Statuses of gRPC: CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE. */
const away = [1, 4, 14];

function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, details = '' } = error as { readonly code?: unknown; readonly details?: string };
  if (typeof code === 'number') {
    // What a sick dev server says, whose database is fine after a restart.
    return away.includes(code) || /interrupted|Namespace .*not found/.test(details);
  }
  return isUnreachable(error) || isAway(error.cause);
}
