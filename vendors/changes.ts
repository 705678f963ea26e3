/** What has become of the files of a final delivery, in words. Pure. */

import type { Changes } from './completion.js';

/** `2 files were added, 1 was rewritten and 3 were removed (type=events/…/part-0.parquet, …)`. */
export function writeChanges({ total, added, rewritten, removed, first }: Changes): string {
  const counted = (
    [
      [added, 'added'],
      [rewritten, 'rewritten'],
      [removed, 'removed'],
    ] as const
  ).filter(([files]) => files > 0);
  const parts = counted.map(([files, what], index) => {
    const noun = index > 0 ? '' : files === 1 ? ' file' : ' files';
    return `${files}${noun} ${files === 1 ? 'was' : 'were'} ${what}`;
  });
  const last = parts.pop() ?? '';
  const listed = parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
  return `${listed} (${first.join(', ')}${total > first.length ? ', …' : ''})`;
}
