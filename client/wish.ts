import { writeInstant } from './instant.js';
import type { ListedDelivery } from './queries/list-deliveries.js';

/** `discard, not done yet, since 2026-11-20 14:30:00 UTC (a request by law)`; null where nothing is asked for. */
export function writeWish({
  wish,
  wishedAt,
  wishReason,
}: Pick<ListedDelivery, 'wish' | 'wishedAt' | 'wishReason'>): string | null {
  if (wish === null) return null;
  const since = wishedAt === null ? '' : `, since ${writeInstant(wishedAt)}`;
  return `${wish}, not done yet${since} (${wishReason ?? 'no reason given'})`;
}
