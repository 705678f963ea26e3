/** What becomes of a step that fails: whether it is tried again, and what the ledger says of it meanwhile. */

import { ApplicationFailure, Context, type Info } from '@temporalio/activity';

import { writeDuration } from '../config/duration.js';
import { isSettled, type Finality } from '../model/delivery.js';
import { decidedByWorkflow, failureTypes, type FailureType } from '../model/failure.js';
import { hearFaults } from '../stores/faults.js';
import { vendors } from '../vendors/registry.js';
import { writeInstant } from '../vendors/completion.js';
import {
  countAttempt,
  dropTrouble,
  endTrouble,
  forgetFailure,
  noteFailure,
  noteTrouble,
} from '../warehouse/trouble.js';
import type { Dependencies } from './dependencies.js';
import { faultOf, whileRetried, type Fault } from './fault-table.js';
import { sourceMissing } from './sources.js';
import { watchStore } from './store-watch.js';
import { stepOf, type Step } from './step.js';
import { tellLedger } from './tell-ledger.js';

/** Attempts in a row that may end unexpectedly. */
const mostUnexpected = 5;
/** Attempts after which workers without the source are taken for all that there are. */
const triesElsewhere = 3;
/** What is refused is refused for so long, in milliseconds, where the source does not say. */
const usualGrace = 30 * 60_000;
const minute = 60_000;

type Known = Pick<Dependencies, 'pool' | 'source'>;

/**
 * Wraps activities so that what they throw has a stable type and is retried as `fault-table.ts` says, and so that the
 * ledger tells from the first failed attempt on what went wrong and when it is tried again, until the step succeeds. Work
 * that ends because it was cancelled ends as cancelled.
 */
export function translateFailures<T extends object>(activities: T, known: Known): T {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    (...input: unknown[]): Promise<unknown> =>
      attempt(known, name, input[0], () => (activity as (...input: unknown[]) => Promise<unknown>)(...input)),
  ]);
  return Object.fromEntries(wrapped) as T;
}

async function attempt(
  known: Known,
  name: string,
  input: unknown,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const { info, cancellationSignal } = Context.current();
  const step = stepOf(name, info, input);
  const store = watchStore(known.pool, step);
  try {
    mustHave(known.source, step);
    const result = await hearFaults(store, work);
    const told = await store.stop();
    await tellLedger(step, () => noteSuccess(known.pool, step, told || step.attempt > 1));
    return result;
  } catch (error) {
    await store.stop();
    if (cancellationSignal.aborted) throw cancellationSignal.reason;
    throw await judge(known, step, info, error);
  }
}

/** Steps that need the ledger alone, so that any worker does them. */
const needNoSource: ReadonlySet<string> = new Set(['openDelivery', 'record', 'abandon', 'settledDeliveries']);

/** Throws `SourceMissing` where this worker knows the source not at all, or as another than the workflow does. */
function mustHave(source: Known['source'], { name, source: wanted, types, workflowType }: Step): void {
  if (wanted === undefined || needNoSource.has(name)) return;
  const { config, vendor } = source(wanted);
  if (workflowType in vendors && workflowType !== config.vendor) {
    throw sourceMissing(`source '${wanted}' as one of ${workflowType}`);
  }
  const unknown = types.find((type) => !vendor.types.includes(type));
  if (unknown !== undefined) throw sourceMissing(`the type ${unknown} of source '${wanted}'`);
}

/** Steps after which whatever went wrong before in the life of a delivery is over. */
const milestones: ReadonlySet<string> = new Set(['look', 'plan', 'publish', 'discard', 'deleteDiscarded']);
/** Steps beside which others of their delivery go on: their success says nothing of those. */
const besides: ReadonlySet<string> = new Set(['openDelivery', 'stage', 'record', 'abandon']);

/** `troubled`: something may have been said of this step. */
async function noteSuccess(pool: Known['pool'], step: Step, troubled: boolean): Promise<void> {
  const { name, deliveryId, finality, workflowId } = step;
  if (milestones.has(name) && deliveryId !== undefined) {
    await endTrouble(pool, step, 'workflow');
    await forgetFailure(pool, deliveryId, name === 'publish' || name === 'discard');
    return;
  }
  if (troubled || !besides.has(name)) await endTrouble(pool, step, besides.has(name) ? 'step' : 'kind');
  if (name !== 'record' || finality === undefined || deliveryId === undefined) return;
  if (isSettled(finality as Finality)) await dropTrouble(pool, workflowId);
  if (finality !== 'failed') await forgetFailure(pool, deliveryId, false);
}

/** The error as Temporal gets it. */
async function judge({ pool, source }: Known, step: Step, info: Info, error: unknown): Promise<unknown> {
  const fault = faultOf(error);
  const { handling: kind, type } = fault;
  const attempts = step.attempt;
  if (kind === 'final') {
    const decided = decidedByWorkflow.includes(type ?? failureTypes.programFault);
    await tellLedger(step, async () => {
      if (decided) await endTrouble(pool, step, 'step');
      else await giveUp(pool, step, fault, fault.message);
    });
    return failureOf(fault, fault.message, true);
  }
  if (kind === 'elsewhere' && attempts < triesElsewhere) {
    return failureOf(fault, fault.message, false, delayElsewhere(attempts));
  }
  const streak = await tellLedger(step, () =>
    countAttempt(pool, step, { kind, attempts, reason: fault.message }),
  );
  const refusedFor = streak?.refusedFor ?? Date.now() - info.scheduledTimestampMs;
  const grace = graceOf(source, step);
  if (kind === 'refused' && refusedFor >= grace) {
    const message = `${fault.message} It was refused for ${writeDuration(grace)}${whatNext(step)}`;
    await tellLedger(step, () => giveUp(pool, step, fault, message));
    return failureOf(fault, message, true);
  }
  const faults = streak?.faults ?? attempts;
  if (kind === 'unexpected' && faults >= mostUnexpected) {
    const message = `${afterUnexpected(step, fault, faults)}`;
    await tellLedger(step, () => giveUp(pool, step, fault, message));
    return failureOf(fault, message, true);
  }
  const delay = delayOf(fault, info, kind === 'refused' ? grace - refusedFor : Infinity);
  const retryAt = Date.now() + (delay ?? usualDelay(info));
  const until =
    kind === 'refused' ? `, and until ${writeInstant(Date.now() + grace - refusedFor)} (refusalGrace)` : '';
  const reason =
    `${whileRetried(fault.message)} Attempt ${attempts} of step '${step.name}'; ` +
    `it is tried again at ${writeInstant(retryAt)}${until}.`;
  await tellLedger(step, () => noteTrouble(pool, step, reason, retryAt));
  return fault.type === undefined ? error : failureOf(fault, fault.message, false, delay);
}

async function giveUp(pool: Known['pool'], step: Step, fault: Fault, message: string): Promise<void> {
  await countAttempt(pool, step, { kind: fault.handling, attempts: step.attempt, reason: message });
  // Setting up the ledger mends some of these: the schedule finds out.
  const type = fault.handling === 'unexpected' ? failureTypes.programFault : fault.type;
  await noteFailure(pool, step, type ?? failureTypes.programFault, message);
}

function failureOf(fault: Fault, message: string, nonRetryable: boolean, delay?: number): ApplicationFailure {
  const type: FailureType = fault.type ?? failureTypes.programFault;
  return ApplicationFailure.create({
    ...{ type, message, nonRetryable },
    ...(fault.cause === undefined ? {} : { cause: fault.cause }),
    ...(delay === undefined ? {} : { nextRetryDelay: delay }),
  });
}

function whatNext({ deliveryId }: Step): string {
  return deliveryId === undefined
    ? '.'
    : '; the schedule takes the delivery up again once the store answers.';
}

function afterUnexpected({ name }: Step, { type, message }: Fault, faults: number): string {
  if (type !== failureTypes.programFault) return message;
  return (
    `Step '${name}' met an error that Landfall did not expect, ${faults} times in a row: ${message} Readers see what ` +
    `they saw before. Report it with the worker's log, then reprocess the delivery.`
  );
}

function graceOf(source: Known['source'], step: Step): number {
  if (step.source === undefined) return usualGrace;
  try {
    return source(step.source).config.refusalGrace;
  } catch {
    return usualGrace;
  }
}

/** Milliseconds; undefined: as the step's policy says. `left`: how long it may go on being refused. */
function delayOf({ handling, retryIn }: Fault, info: Info, left: number): number | undefined {
  if (handling === 'elsewhere') return delayElsewhere(info.attempt);
  if (handling !== 'refused') return retryIn;
  // A login that may be tried twice an hour gets its second try, although that is a little later.
  if (retryIn !== undefined && retryIn <= left + minute) return retryIn;
  return Math.max(1_000, Math.min(retryIn ?? usualDelay(info), left));
}

/** Another worker is as likely to get it the next time. */
function delayElsewhere(attempts: number): number {
  return Math.min(5_000 * attempts, minute);
}

/** As `retry` in workflows/steps.ts has it. */
function usualDelay({ attempt }: Info): number {
  return Math.min(1_000 * 2 ** (attempt - 1), 5 * minute);
}
