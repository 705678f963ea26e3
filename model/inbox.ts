/** The inbox: what a vendor sent to the receiver and what becomes of it. What passes between receiver, workflow and people. */

import type { LoadCounts } from './control.js';
import type { Finality } from './delivery.js';

/** Of the source's workflow that gathers what waits in the inbox into deliveries. */
export const inboxWorkflow = 'inbox';

export function inboxId(source: string): string {
  return `${source}/inbox`;
}

/** Sent by the receiver, with signal-with-start, when bodies have come. */
export const arrivedSignal = 'arrived';

export interface Arrived {
  /** Bytes of bodies, decompressed, since the last time. */
  readonly bytes: number;
}

export interface InboxInput {
  readonly source: string;
  readonly vendor: string;
  /** A batch holds bodies of so many bytes, and one more … */
  readonly gatherBytes: number;
  /** … or what has come within so many milliseconds. */
  readonly gatherWithin: number;
  /** Milliseconds without word from a delivery after which it is asked for. Default: 1 minute. */
  readonly askEvery?: number;
  /** What an earlier run hands on at continue-as-new. */
  readonly carried?: CarriedInbox;
}

export interface CarriedInbox {
  readonly paused: boolean;
  readonly news?: InboxNews;
  /** There is more to gather, or to start, than was taken the last time. */
  readonly more: boolean;
  readonly seen: InboxSeen;
  /** Ids of deliveries that were started and have not come to rest. */
  readonly inFlight: readonly string[];
  /** Those of them that took nothing when last asked for: they are paused. */
  readonly waiting: readonly string[];
  readonly last?: LastLoaded;
}

/** Bodies that came since the inbox was gathered. */
export interface InboxNews {
  /** Epoch ms: when the first of them was told of. */
  readonly since: number;
  readonly bytes: number;
}

/** What the ledger says of an inbox. */
export interface InboxSeen {
  readonly depth: InboxDepth;
  /** Deliveries that failed: their bodies are not in the depth, for people see to them. */
  readonly failed: number;
}

/** The delivery that came to rest last. */
export interface LastLoaded {
  readonly delivery: string;
  readonly finality: Finality;
  /** Epoch ms. */
  readonly at: number;
  readonly counts?: LoadCounts;
}

/** Answer of the `status` query of an inbox. */
export interface InboxStatus extends InboxSeen {
  readonly source: string;
  readonly paused: boolean;
  /** The oldest body waits for longer than it should. */
  readonly alarm: boolean;
  /** What the ledger was not asked for yet. */
  readonly news?: InboxNews;
  /** Deliveries that were started and have not come to rest. */
  readonly inFlight: readonly string[];
  readonly last?: LastLoaded;
  /** To the last signal that it does not know. */
  readonly answer?: string;
  /** What happens next, as a sentence. */
  readonly next: string;
}

/** How much waits in the inbox of a source: bodies whose rows are not published, and whose delivery is not settled. */
export interface InboxDepth {
  readonly bodies: number;
  /** Decompressed. */
  readonly bytes: number;
  /** Epoch ms: when the oldest of them came; absent where there is none. */
  readonly oldest?: number;
}
