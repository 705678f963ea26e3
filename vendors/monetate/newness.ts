import { sortableInstant } from '../written.js';
import { parseKey } from './layout.js';

/**
 * A session is as new as the interval that its file is named after: the one that ends later, or else begins later, is the
 * newer one, within a day and across days. When a file was uploaded or loaded does not matter.
 */
export function newnessOf(key: string): string {
  const interval = parseKey(key);
  if (interval === undefined) return '';
  const { from, length } = interval;
  return `${sortableInstant(from + length)} ${sortableInstant(from)}`;
}
