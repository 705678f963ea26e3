import { setTimeout } from 'node:timers/promises';

import { listTroubles } from './queries/list-troubles.js';
import type { Place } from './place.js';
import { withLedger } from './with-ledger.js';

const askEvery = 5_000;
/** An error that stays is told again after so many milliseconds. */
const tellAgainAfter = 60_000;

/**
 * Says what goes wrong with steps of some workflows, as the ledger has it, until `end`. Somebody waits, and would
 * otherwise not learn that what is waited for is tried again and again.
 */
export async function tellTroubles(
  place: Place,
  workflows: () => readonly string[] | Promise<readonly string[]>,
  tell: (line: string) => void,
  end: AbortSignal,
  every = askEvery,
): Promise<void> {
  const told = new Map<string, { readonly error: string; readonly at: number }>();
  const look = async (): Promise<void> => {
    const ids = await workflows();
    const troubles = await withLedger(place, (pool) => listTroubles(pool, { workflows: ids }));
    for (const { workflow, step, reason } of troubles) {
      const key = `${workflow} ${step}`;
      const error = reason.replace(/ Attempt \d+ of step .*$/s, '');
      const before = told.get(key);
      if (before?.error === error && Date.now() < before.at + tellAgainAfter) continue;
      told.set(key, { error, at: Date.now() });
      tell(`${workflow}: ${reason}`);
    }
  };
  while (!end.aborted) {
    // A ledger that cannot be asked now is asked again; what is waited for comes from Temporal.
    await look().catch(() => undefined);
    await setTimeout(every, undefined, { signal: end }).catch(() => undefined);
  }
}
