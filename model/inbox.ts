/** The inbox: what a vendor sent to the receiver and what becomes of it. What passes between receiver, workflow and people. */

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
}

/** How much waits in the inbox of a source: bodies whose rows are not published, and whose delivery is not settled. */
export interface InboxDepth {
  readonly bodies: number;
  /** Decompressed. */
  readonly bytes: number;
  /** Epoch ms: when the oldest of them came; absent where there is none. */
  readonly oldest?: number;
}
