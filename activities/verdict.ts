/** Whether a step that failed is tried again, when, and what is said of it. Pure. */

import { writeDuration } from '../config/duration.js';
import { decidedByWorkflow, failureTypes } from '../model/failure.js';
import { writeInstant } from '../vendors/completion.js';
import type { Streak } from '../warehouse/trouble.js';
import { whileRetried, type Fault } from './fault-table.js';

/** Attempts in a row that may end unexpectedly. */
const mostUnexpected = 5;
/** Attempts after which workers without the source are taken for all that there are. */
const triesElsewhere = 3;
const minute = 60_000;

export type Verdict =
  /** `delay`: milliseconds; absent: as the step's policy says. */
  | { readonly kind: 'retry'; readonly delay?: number; readonly told?: Told }
  /** It is over: nothing is said in the ledger, for the workflow decides what to do. */
  | { readonly kind: 'return' }
  | { readonly kind: 'fail'; readonly message: string };

export interface Told {
  /** What the ledger says. */
  readonly reason: string;
  /** Epoch ms; absent where the workflow decides when. */
  readonly retryAt?: number;
}

export interface Circumstances {
  readonly step: string;
  /** Whether it belongs to a delivery. */
  readonly ofDelivery: boolean;
  readonly attempt: number;
  /** Attempts that the step's policy allows; undefined: as many as it takes. */
  readonly most?: number | undefined;
  /** What the ledger counts; undefined where it could not be asked. */
  readonly streak: Streak | undefined;
  /** Milliseconds. */
  readonly refusalGrace: number;
  /** Epoch ms. */
  readonly now: number;
}

export function judge(fault: Fault, at: Circumstances): Verdict {
  const { handling, type, message } = fault;
  if (handling === 'final') {
    const decided = decidedByWorkflow.includes(type ?? failureTypes.programFault);
    return decided ? { kind: 'return' } : { kind: 'fail', message };
  }
  if (handling === 'refused') return judgeRefusal(fault, at);
  if (handling === 'unexpected' && isOver(fault, at))
    return { kind: 'fail', message: afterUnexpected(fault, at) };
  if (handling === 'elsewhere') {
    const delay = Math.min(5_000 * at.attempt, minute);
    return at.attempt < triesElsewhere ? { kind: 'retry', delay } : retry(fault, at, delay);
  }
  return retry(fault, at, fault.retryIn);
}

/** Nothing fails for good while the ledger cannot be told why: it may be what refuses. */
function judgeRefusal(fault: Fault, at: Circumstances): Verdict {
  const { refusalGrace } = at;
  if (at.streak === undefined) return retry(fault, at, fault.retryIn);
  const { refusedFor = 0 } = at.streak;
  if (refusedFor >= refusalGrace) return { kind: 'fail', message: afterRefusals(fault, at) };
  const left = refusalGrace - refusedFor;
  const until = `, and until ${writeInstant(at.now + left)} (refusalGrace)`;
  return retry(fault, at, delayOfRefused(fault, at, left), until);
}

/** A ledger that is not set up counts nothing; a mistake of the program is one all the same. */
function isOver({ type }: Fault, { streak, attempt }: Circumstances): boolean {
  return (streak?.faults ?? (type === failureTypes.programFault ? attempt : 0)) >= mostUnexpected;
}

function delayOfRefused({ retryIn }: Fault, at: Circumstances, left: number): number {
  // A login that may be tried twice an hour gets its second try, although that is a little later.
  if (retryIn !== undefined && retryIn <= left + minute) return retryIn;
  return Math.max(1_000, Math.min(retryIn ?? usualDelay(at), left));
}

function retry(fault: Fault, at: Circumstances, delay: number | undefined, until = ''): Verdict {
  const said = whileRetried(fault.message);
  const attempt = `Attempt ${at.attempt} of step '${at.step}'`;
  if (at.most !== undefined && at.attempt >= at.most) {
    return { kind: 'retry', told: { reason: `${said} ${attempt}; the workflow decides what is done next.` } };
  }
  const retryAt = at.now + (delay ?? usualDelay(at));
  const reason = `${said} ${attempt}; it is tried again at ${writeInstant(retryAt)}${until}.`;
  return { kind: 'retry', ...(delay === undefined ? {} : { delay }), told: { reason, retryAt } };
}

/** As `retry` in workflows/steps.ts has it. */
function usualDelay({ attempt }: Circumstances): number {
  return Math.min(1_000 * 2 ** (attempt - 1), 5 * minute);
}

function afterRefusals({ message }: Fault, { refusalGrace, ofDelivery }: Circumstances): string {
  const next = ofDelivery ? 'The schedule takes the delivery up again once the store answers.' : '';
  const how = refusalGrace === 0 ? '' : `It was refused for ${writeDuration(refusalGrace)}.`;
  return [message, how, next].filter((part) => part !== '').join(' ');
}

function afterUnexpected({ type, message }: Fault, { step, attempt, streak }: Circumstances): string {
  if (type !== failureTypes.programFault) return message;
  return (
    `Step '${step}' met an error that Landfall did not expect, ${streak?.faults ?? attempt} times in a row: ${message} ` +
    `Readers see what they saw before. Report it with the worker's log, then reprocess the delivery.`
  );
}
