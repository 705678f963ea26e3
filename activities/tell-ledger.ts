import { log } from '@temporalio/activity';

import type { Step } from './step.js';

/** A ledger that does not answer must not keep the step from ending: its worker would be taken for dead. */
const patience = 3_000;

/**
 * Writes into the ledger how a step goes. Where that cannot be done the log says so, and the step ends as it would:
 * undefined.
 */
export async function tellLedger<T>(
  { name, workflowId, attempt }: Step,
  write: () => Promise<T>,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Postgres gave no answer for 3 seconds.')), patience);
  });
  try {
    return await Promise.race([write(), late]);
  } catch (error) {
    log.warn(
      `The ledger could not be told how attempt ${attempt} of step '${name}' of ${workflowId} ended.`,
      { error },
    );
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
