/** What passes between people, the command line and workflows: inputs, signals, the status query, results. */

import type { Delivery, Finality } from './delivery.js';
import type { Wish } from './wish.js';

/** Signals that every delivery takes. The argument is `{ "reason": "…" }` or the reason as a string. */
export const deliverySignals = ['reprocess', 'accept', 'skip', 'discard', 'pause', 'resume'] as const;
export type DeliverySignal = (typeof deliverySignals)[number];

export interface SignalArgument {
  /** Why; lands in the ledger beside the signal. */
  readonly reason: string;
}

/** Ends a backfill: it starts nothing more, and what it started goes on. The same argument. */
export const stopSignal = 'stop';

/** The query that every delivery and every backfill answers. */
export const statusQuery = 'status';

/** Input of a delivery's workflow. Holds no secrets: workers resolve them from the configuration by source name. */
export interface DeliveryInput extends Delivery {
  readonly vendor: string;
  /** Epoch ms: when waiting for the marker ends. Absolute, so that it survives continue-as-new. */
  readonly deadline: number;
  /** Milliseconds between the first looks at the store; looks grow rarer with age. */
  readonly pollEvery: number;
  /** Epoch ms: from when on the vendor no longer rewrites the delivery. Only where it does. */
  readonly closesAt?: number;
  /** Milliseconds that it has to stand still after that to be final. */
  readonly settleFor?: number;
  /** Milliseconds after its first file until which a job's manifests are awaited. Only for jobs, like the next two. */
  readonly discardAfter?: number;
  /** Milliseconds after its last manifest until which files that are listed may be missing, or not whole. */
  readonly uploadGrace?: number;
  /** Delete the files of a job from the store once it is discarded. */
  readonly deleteDiscarded?: boolean;
  /** When it is final, ask what those of its ids are called that have no name yet. */
  readonly names?: boolean;
  /** Batches of files staged at the same time. */
  readonly inFlight: number;
  /** Milliseconds after which a silent activity is taken for dead. */
  readonly heartbeatTimeout: number;
  /** Workflow id of a backfill that wants to hear `settled` when the delivery comes to rest. */
  readonly notify?: string;
  /** What an earlier run of the same delivery hands on at continue-as-new. */
  readonly carried?: CarriedDelivery;
}

/** The delivery that an input is of, alone. */
export function deliveryOf({ id, source, type, date, exportJob }: DeliveryInput): Delivery {
  return { id, source, type, date, ...(exportJob === undefined ? {} : { exportJob }) };
}

export interface CarriedDelivery {
  /** Epoch ms of the first look. */
  readonly waitingSince: number;
  /** What is asked for and not done yet. Absent: as the next two say, which runs of earlier versions hand on. */
  readonly wishes?: readonly Wish[];
  readonly force: boolean;
  readonly accepted: boolean;
  readonly paused: boolean;
  /** Counts looks and loads over all runs, for request keys and summaries. */
  readonly looks: number;
  readonly loads: number;
  readonly notify: readonly string[];
  readonly watch?: Watch;
  /** What people should know of the delivery until it is final. */
  readonly notice?: string;
}

/** A version of a delivery that is watched for standing still. */
export interface Watch {
  readonly version: string;
  /** Epoch ms of the first look that counts. */
  readonly since: number;
  /** What the last looks saw, by which files that stand still are told from those that are still being written. */
  readonly seen?: readonly SeenUpTo[];
}

/** The newest file that a look saw. */
export interface SeenUpTo {
  /** Epoch ms by the store's clock: when that file was written; 0 where there was none. */
  readonly newest: number;
  /** Epoch ms of the look. */
  readonly at: number;
}

/** Result of a delivery's workflow, and the argument of a backfill's `settled` signal. */
export interface DeliveryResult {
  readonly delivery: string;
  readonly finality: Finality;
  /** A sentence. */
  readonly reason: string;
  readonly counts?: LoadCounts;
}

/** parsed = loaded + quarantined + duplicate + conflicting + superseded. */
export interface LoadCounts {
  readonly files: number;
  readonly bytes: number;
  readonly parsed: number;
  readonly loaded: number;
  readonly quarantined: number;
  readonly duplicate: number;
  /** They contradict others of the delivery, and lost; absent where there are none, like the next. */
  readonly conflicting?: number;
  /** Another delivery has a newer copy. */
  readonly superseded?: number;
}

/** Answer of a delivery's `status` query. */
export interface DeliveryStatus {
  readonly delivery: string;
  readonly finality: Finality;
  readonly paused: boolean;
  /** What was asked for and is not done yet, with its reason. */
  readonly wish?: string;
  /** What happens next, as a sentence. */
  readonly next: string;
  readonly deadline: string;
  /** What people should know of what is visible, beyond its finality. */
  readonly notice?: string;
  /** Files and rows staged so far, while loading; of the last load afterwards. */
  readonly counts?: LoadCounts;
  /** Files the plan holds. */
  readonly filesPlanned?: number;
}

export interface BackfillInput {
  readonly source: string;
  /** Days, both included; deliveries are started newest first. */
  readonly from: string;
  readonly to: string;
  readonly types: readonly string[];
  /** Deliveries at work at the same time; those that only wait for their marker are not counted. */
  readonly maxInFlight: number;
  /** Milliseconds without word from any delivery after which they are asked for. Default: 5 minutes. */
  readonly askEvery?: number;
  readonly carried?: CarriedBackfill;
}

export interface CarriedBackfill {
  /** How many days of the range, newest first, are behind us. */
  readonly daysDone: number;
  /** Ids of the next day's deliveries that are behind us as well. */
  readonly dealtWith: readonly string[];
  readonly inFlight: readonly string[];
  /** Those in flight that waited for their marker when last asked for. */
  readonly waiting: readonly string[];
  readonly tally: BackfillTally;
}

export interface BackfillTally {
  /** Started, or found running. */
  readonly started: number;
  /** Left alone because the ledger says they are final, skipped or discarded. */
  readonly leftAlone: number;
  readonly settled: Readonly<Partial<Record<Finality, number>>>;
  /** Ids of failed deliveries, at most 100. */
  readonly failed: readonly string[];
}

/** Answer of a backfill's `status` query, and its result. */
export interface BackfillStatus extends BackfillTally {
  /** Days of the range, and those of them that are behind us. */
  readonly days: number;
  readonly daysDone: number;
  /** Started and not at rest yet. */
  readonly inFlight: readonly string[];
  readonly done: boolean;
  /** Why somebody stopped it; absent where nobody did. */
  readonly stopped?: string;
  /** To the last signal that it does not know. */
  readonly answer?: string;
}

/** Workflow types. A delivery's type is the vendor's name. */
export const workflowTypes = { backfill: 'backfill', discover: 'discover' } as const;

export function backfillId(source: string, from: string, to: string, types: readonly string[]): string {
  return `${backfillsOf(source)}${from}..${to}/${[...types].sort().join('+')}`;
}

/** What the ids of all backfills of a source begin with. */
export function backfillsOf(source: string): string {
  return `${source}/backfill/`;
}

/** Search attributes, registered by `landfall setup`. */
export const searchAttributes = {
  source: 'LandfallSource',
  vendor: 'LandfallVendor',
  date: 'DeliveryDate',
  finality: 'Finality',
} as const;
