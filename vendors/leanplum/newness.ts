/**
 * Which of two jobs has the newer copy of a session: the one that was started on a later Pacific day; of one day's jobs the
 * one whose manifests came later. A job that somebody accepted without them counts as complete with its newest shard.
 */

import { sortableInstant } from '../written.js';

export interface Completed {
  /** The uuid, which decides between jobs that are equal otherwise. */
  readonly job: string;
  /** The Pacific day of its folder, `YYYY-MM-DD`. Of an export that was asked for: the day on which it was. */
  readonly started: string;
  /** Epoch ms: when the newest of its manifests was written, or of its shards. */
  readonly complete: number;
}

/** The same for all files of a job: its copy of a session wins or loses as a whole. */
export function newnessOf({ job, started, complete }: Completed): string {
  return `${started} ${sortableInstant(complete)} ${job}`;
}
