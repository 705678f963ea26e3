/** What becomes of a step that fails: whether it is tried again, and what the ledger says of it meanwhile. */

import { ApplicationFailure, Context, type Info } from '@temporalio/activity';

import { isSettled, type Finality } from '../model/delivery.js';
import { failureTypes, type FailureType } from '../model/failure.js';
import { hearFaults } from '../stores/faults.js';
import { vendors } from '../vendors/registry.js';
import {
  countAttempt,
  dropTrouble,
  endTrouble,
  forgetFailure,
  isCounted,
  noteFailure,
  noteTrouble,
} from '../warehouse/trouble.js';
import type { Dependencies } from './dependencies.js';
import { faultOf, type Fault } from './fault-table.js';
import { sourceMissing } from './sources.js';
import { watchStore } from './store-watch.js';
import { stepOf, type Step } from './step.js';
import { tellLedger } from './tell-ledger.js';
import { judge } from './verdict.js';

/** A worker that is stopped hands its steps on; one after the other that ends so is worth a word. */
const silenceFrom = 3;
/** What is refused is refused for so long, in milliseconds, where the source does not say. */
const usualGrace = 30 * 60_000;

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
  if (step.attempt >= silenceFrom) await tellLedger(step, () => noteSilence(known.pool, step));
  try {
    mustHave(known.source, step);
    const result = await hearFaults(store, work);
    const told = await store.stop();
    await tellLedger(step, () => noteSuccess(known.pool, step, told || step.attempt > 1));
    return result;
  } catch (error) {
    await store.stop();
    if (cancellationSignal.aborted) throw cancellationSignal.reason;
    throw await translate(known, step, info, error);
  }
}

/** An attempt that ended without a word, with its worker or for want of a heartbeat, is known only by the next one. */
async function noteSilence(pool: Known['pool'], step: Step): Promise<void> {
  const before = step.attempt - 1;
  if (await isCounted(pool, step, before)) return;
  const reason =
    `Attempt ${before} of step '${step.name}' did not tell how it ended: its worker was stopped, was silent for too long, or ` +
    `could not reach Postgres. Attempt ${step.attempt} is under way.`;
  await countAttempt(pool, step, { kind: 'elsewhere', attempts: before, reason });
  await noteTrouble(pool, step, reason);
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
async function translate({ pool, source }: Known, step: Step, info: Info, error: unknown): Promise<unknown> {
  const fault = faultOf(error);
  const { handling: kind } = fault;
  // One attempt alone says nothing of the other workers.
  const reason =
    kind === 'elsewhere' ? 'A worker without its source had it; another one is looked for.' : fault.message;
  const attempts = step.attempt;
  const streak =
    kind === 'final'
      ? undefined
      : await tellLedger(step, () => countAttempt(pool, step, { kind, attempts, reason }));
  const verdict = judge(fault, {
    ...{
      step: step.name,
      ofDelivery: step.deliveryId !== undefined,
      attempt: attempts,
      streak,
      now: Date.now(),
    },
    most: mostAttempts(info),
    refusalGrace: graceOf(source, step),
  });
  if (verdict.kind === 'return') {
    await tellLedger(step, () => endTrouble(pool, step, 'step'));
    return failureOf(fault, fault.message, true);
  }
  if (verdict.kind === 'fail') {
    await tellLedger(step, () => giveUp(pool, step, fault, verdict.message));
    return failureOf(fault, verdict.message, true);
  }
  const { told, delay } = verdict;
  // Whoever could not be asked a moment ago is not asked again.
  if (told && streak) await tellLedger(step, () => noteTrouble(pool, step, told.reason, told.retryAt));
  return fault.type === undefined ? error : failureOf(fault, fault.message, false, delay);
}

/** Undefined: as many as it takes, for which Temporal has 0. */
function mostAttempts({ retryPolicy }: Info): number | undefined {
  return retryPolicy?.maximumAttempts === 0 ? undefined : retryPolicy?.maximumAttempts;
}

async function giveUp(pool: Known['pool'], step: Step, fault: Fault, message: string): Promise<void> {
  await countAttempt(pool, step, { kind: fault.handling, attempts: step.attempt, reason: message });
  await noteFailure(pool, step, failureTypeOf(fault), message);
}

/** By which the schedule knows what may have passed: whatever was refused, and what setting up the ledger may mend. */
function failureTypeOf({ handling, type = failureTypes.programFault }: Fault): FailureType {
  if (handling === 'refused') return failureTypes.accessDenied;
  return handling === 'unexpected' ? failureTypes.programFault : type;
}

function failureOf(fault: Fault, message: string, nonRetryable: boolean, delay?: number): ApplicationFailure {
  return ApplicationFailure.create({
    ...{ type: fault.type ?? failureTypes.programFault, message, nonRetryable },
    ...(fault.cause === undefined ? {} : { cause: fault.cause }),
    ...(delay === undefined ? {} : { nextRetryDelay: delay }),
  });
}

function graceOf(source: Known['source'], step: Step): number {
  if (step.source === undefined) return usualGrace;
  try {
    return source(step.source).config.refusalGrace;
  } catch {
    return usualGrace;
  }
}
