import { sortableInstant } from '../written.js';

/**
 * A session is as new as its receipt: of two batches the one whose last body came later has the newer copies. `name` is the
 * batch's below its source, `2026-11-20/1042`; the number of its first body decides where the instants are the same.
 */
export function newnessOf(name: string, received: number): string {
  const firstBody = name.slice(name.indexOf('/') + 1);
  return `${sortableInstant(received)} ${firstBody.padStart(19, '0')}`;
}
