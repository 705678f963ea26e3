interface WrittenError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: unknown;
}

/**
 * An error as people need it: JSON knows nothing of its own fields. Nothing else of it, since what drivers add may quote
 * rows.
 */
function writeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { readonly code?: unknown };
  const written: WrittenError = {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: writeError(error.cause) }),
  };
  return error instanceof AggregateError ? { ...written, errors: error.errors.map(writeError) } : written;
}

/** Temporal's SDK and our own lines have errors in `error`, pino and fastify in `err`. */
export const errorWriters = { error: writeError, err: writeError };
