import type pg from 'pg';

import type { FaultListener } from '../stores/faults.js';
import { countAttempt, endTrouble, noteTrouble } from '../warehouse/trouble.js';
import { faultOf, whileRetried } from './fault-table.js';
import type { Step } from './step.js';
import { tellLedger } from './tell-ledger.js';

/**
 * Milliseconds after a fault that a store has not got over. The first one may take 35 seconds to be noticed, and the ledger
 * speaks of it within a minute.
 */
const patience = 15_000;

export interface StoreWatch extends FaultListener {
  /** Ends the watch; whether the ledger speaks of something. */
  readonly stop: () => Promise<boolean>;
}

/** Tells the ledger of what a store tries again and again within one attempt of a step. */
export function watchStore(pool: pg.Pool, step: Step): StoreWatch {
  let last: unknown;
  let timer: NodeJS.Timeout | undefined;
  let told = false;
  let writing: Promise<unknown> = Promise.resolve();

  const write = (work: () => Promise<void>): void => {
    writing = writing.then(() => tellLedger(step, work));
  };
  const tell = (): void => {
    timer = undefined;
    told = true;
    const attempts = step.attempt;
    const reason = `${whileRetried(faultOf(last).message)} Attempt ${attempts} of step '${step.name}' goes on trying.`;
    write(async () => {
      // Nothing has ended yet, so nothing is counted.
      await countAttempt(pool, step, { kind: 'elsewhere', attempts, reason });
      await noteTrouble(pool, step, reason);
    });
  };
  return {
    failed: (error) => {
      last = error;
      timer ??= setTimeout(tell, patience);
    },
    recovered: () => {
      clearTimeout(timer);
      timer = undefined;
      if (!told) return;
      told = false;
      write(() => endTrouble(pool, step, 'step'));
    },
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await writing;
      return told;
    },
  };
}
