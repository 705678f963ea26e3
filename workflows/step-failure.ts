import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';

/** The failure that an activity threw, by whatever it came wrapped. */
export function rootFailure(error: unknown): ApplicationFailure | undefined {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof ActivityFailure) return rootFailure(error.cause);
  return undefined;
}

/**
 * Whether a step ended with what the next attempt may not meet: steps are tried again until such a fault has passed, but
 * not once they were cancelled.
 */
export function isPassing(error: unknown): boolean {
  return error instanceof ActivityFailure && rootFailure(error)?.nonRetryable !== true;
}
