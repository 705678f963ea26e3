/** Of an error, what may stand in the log: an error of Postgres also holds what was in the row. */
export function reasonOf(error: unknown): { readonly code?: string; readonly reason: string } {
  const { code } = error as NodeJS.ErrnoException;
  return {
    ...(code === undefined ? {} : { code }),
    // A connection that was tried at several addresses fails with one error for each, and no message.
    reason: error instanceof AggregateError ? error.errors.map(String).join('; ') : messageOf(error),
  };
}

/** With its causes, which say more where a library wraps them. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message;
}
