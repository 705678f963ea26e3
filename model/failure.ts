/**
 * The error taxonomy. Names are stable: they are what retry policies, workflows and alerts match on.
 * Every message is a sentence: what happened to which file of which delivery, what happens now, what to do.
 */

export const failureTypes = {
  /** The configuration is wrong or names something that does not exist. Not retried, but where a server says so (`mayPass`). */
  configInvalid: 'ConfigInvalid',
  /** A store, database or vendor refused us. Retried for the source's `refusalGrace`, then it fails. */
  accessDenied: 'AccessDenied',
  /** The configuration of the worker that has the step does not have its source. Retried: another worker may have it. */
  sourceMissing: 'SourceMissing',
  /** An error that Landfall did not expect, such as a TypeError or a statement that Postgres cannot read. Retried a few times. */
  programFault: 'ProgramFault',
  /** More rows were quarantined than the source allows. Nothing was published. Not retried. */
  tooManyBadRows: 'TooManyBadRows',
  /** A listed file changed or vanished before it was read. The delivery is planned again. */
  fileChanged: 'FileChanged',
  /** A file arrived whole but cannot be read as its format, e.g. a truncated Parquet file. */
  fileUnreadable: 'FileUnreadable',
  /** The worker's mask rules are not those that were set last. Retried, for another worker may have them. */
  masksDiffer: 'MasksDiffer',
  /** A load was given up in favour of a newer one. The delivery is planned again. */
  loadSuperseded: 'LoadSuperseded',
  /** What was staged is no longer there or does not add up. The delivery is staged again. */
  stagingLost: 'StagingLost',
  /** A version has far fewer rows than the one that readers see. It is kept for a person to accept. */
  heldForReview: 'HeldForReview',
  /** Readers or another session hold the tables. Nothing has changed. Retried. */
  tablesBusy: 'TablesBusy',
  /** A store did not answer or answered with a passing fault. Retried. */
  storeUnavailable: 'StoreUnavailable',
  /** A vendor refused an export that was asked for or did not bring it about, or nobody knows whether it took it. Not retried. */
  exportFailed: 'ExportFailed',
  /** A vendor no longer keeps the results of an export that was asked for. Not retried. */
  exportExpired: 'ExportExpired',
} as const;

export type FailureType = (typeof failureTypes)[keyof typeof failureTypes];

/** Retrying cannot mend these: a person has to. */
export const notRetried: readonly FailureType[] = [
  failureTypes.configInvalid,
  failureTypes.tooManyBadRows,
  failureTypes.exportFailed,
  failureTypes.exportExpired,
];

/** Handed back to the workflow at once, which decides what to do instead of repeating the step. */
export const decidedByWorkflow: readonly FailureType[] = [
  failureTypes.fileChanged,
  failureTypes.fileUnreadable,
  failureTypes.loadSuperseded,
  failureTypes.stagingLost,
  failureTypes.heldForReview,
];

/** The end of a sentence about a file that cannot be read, as long as it is waited for. */
export const isLookedAtAgain =
  "It is looked at again until it is written anew or the delivery's deadline passes.";

/** The same sentence once nothing is waited for any more. */
export function lookedAtLast(reason: string): string {
  return reason.replace(
    isLookedAtAgain,
    "It was not written anew before the delivery's deadline. Have the vendor write it again, then reprocess the delivery.",
  );
}

/** An error with a stable type. Activities turn it into Temporal's ApplicationFailure of the same type. */
export class Failure extends Error {
  /** Of a file: what is wrong with it, without its name and what happens now. */
  declare readonly fault?: string;
  /** Milliseconds that the other side asks us to wait before the step is tried again. */
  declare readonly retryIn?: number;
  /** A server says so, and may say something else in a minute: like a refusal, it is retried for the `refusalGrace`. */
  declare readonly mayPass?: true;

  constructor(
    readonly type: FailureType,
    message: string,
    options?: ErrorOptions & {
      readonly fault?: string;
      readonly retryIn?: number | undefined;
      readonly mayPass?: boolean;
    },
  ) {
    super(message, options);
    this.name = type;
    if (options?.fault !== undefined) this.fault = options.fault;
    if (options?.retryIn !== undefined) this.retryIn = options.retryIn;
    if (options?.mayPass === true) this.mayPass = true;
  }
}
