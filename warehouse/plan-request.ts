/** What a plan is made from. */

import type { StoredFile } from '../stores/store.js';
import type { Target } from './target.js';

export interface PlannedFile extends StoredFile {
  readonly partitionValue: string | null;
}

export interface PlanRequest {
  readonly deliveryId: string;
  readonly source: string;
  readonly target: Target;
  /** Names the step that asks: planning again for the same request finds the same load. */
  readonly request: string;
  /** Load even when this very version is published or being staged. */
  readonly force: boolean;
  /** Asked for once the files have been listed; undefined when a person accepted the delivery without it. */
  readonly marker: () => { readonly key: string; readonly version: string } | undefined;
  /**
   * How new the copies in a file are; asked for once the files have been listed. Without: all files are the same in that, and
   * their names decide.
   */
  readonly newness?: (file: Pick<StoredFile, 'key' | 'modified'>) => string;
  /** Pages of parts in key order. */
  readonly files: AsyncIterable<readonly PlannedFile[]>;
  readonly limits: BatchLimits;
}

export interface BatchLimits {
  readonly files: number;
  /** Bytes; a larger file is a batch of its own. */
  readonly bytes: number;
}
