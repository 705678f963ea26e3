import { z } from 'zod';

/** A mapping with these keys and no others. */
export function settings<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? 'must be a mapping (key: value)' : undefined),
  });
}
