export const usageError = 'UsageError';

/** The command was typed in a way that cannot mean anything; ends with exit code 2, like a wrong configuration. */
export class UsageError extends Error {
  override readonly name = usageError;
}
