/** Plan, stage, publish: how a delivery whose files are there comes into the tables. */

import { workflowInfo } from '@temporalio/workflow';

import type { Plan } from '../activities/plan.js';
import { deliveryOf, type DeliveryInput, type LoadCounts } from '../model/control.js';
import { decidedByWorkflow, failureTypes, type FailureType } from '../model/failure.js';
import type { Take } from '../vendors/completion.js';
import type { Desk } from './desk.js';
import { inFlight } from './in-flight.js';
import { rootFailure } from './step-failure.js';
import { long } from './steps.js';
import { untilAsked } from './until-asked.js';

export interface LoadRequest {
  /** Names the load over all runs of the workflow. */
  readonly request: string;
  readonly force: boolean;
  readonly marker?: { readonly key: string; readonly version: string };
  readonly take?: Take;
  readonly upTo?: number;
  readonly finality: 'provisional' | 'final';
  /** Why it is loaded, as a sentence. */
  readonly reason: string;
  /** What people should know of it. */
  readonly notice?: string;
  /** Requests of the wishes that are done with it. */
  readonly answers: readonly string[];
  /** It is staged already, and was held until a person accepted it. */
  readonly held?: { readonly loadId: string; readonly accepted: string };
}

export type LoadOutcome =
  | {
      readonly kind: 'published';
      readonly counts: LoadCounts;
      readonly reason: string;
      readonly notice?: string | undefined;
    }
  /** Somebody asked for something else meanwhile. */
  | { readonly kind: 'interrupted' }
  /** History has grown long: go on in a new run, with the same request. */
  | { readonly kind: 'continue' }
  /** It has lost so many rows that a person has to accept it. */
  | { readonly kind: 'held'; readonly reason: string }
  /** What was planned does not hold any more: plan again. */
  | { readonly kind: 'again'; readonly type: FailureType; readonly reason: string };

/**
 * Loads a delivery, `inFlight` batches at a time. Ends early when people ask for something else; what is staged by then
 * is dropped by the next plan or by the ending. Errors that retries and a new plan cannot mend are thrown.
 */
export async function load(desk: Desk, input: DeliveryInput, request: LoadRequest): Promise<LoadOutcome> {
  try {
    const outcome = await untilAsked(desk, () => planStagePublish(desk, input, request));
    return outcome ?? { kind: 'interrupted' };
  } catch (error) {
    const failure = rootFailure(error);
    if (failure?.type === failureTypes.heldForReview) return { kind: 'held', reason: failure.message };
    const type = decidedByWorkflow.find((known) => known === failure?.type);
    if (type !== undefined) return { kind: 'again', type, reason: failure?.message ?? type };
    throw error;
  }
}

async function planStagePublish(
  desk: Desk,
  input: DeliveryInput,
  request: LoadRequest,
): Promise<LoadOutcome> {
  if (request.held) return publishHeld(desk, input, request, request.held);
  const { listing, staging } = long(input.heartbeatTimeout);
  const delivery = deliveryOf(input);
  desk.show({ finality: 'loading', next: 'Lists the files.' });
  const plan = await listing.plan.executeWithOptions({ summary: 'list the files and plan their load' }, [
    {
      delivery,
      request: request.request,
      force: request.force,
      ...(request.marker ? { marker: request.marker } : {}),
      ...(request.take ? { take: request.take } : {}),
      ...(request.upTo === undefined ? {} : { upTo: request.upTo }),
    },
  ]);
  const loadId = plan.loadId;

  if (!plan.published) {
    let staged = countsOf(plan);
    desk.show({ counts: staged, filesPlanned: plan.files - (plan.kept ?? 0), next: 'Stages the files.' });
    const hold = async (): Promise<boolean> => {
      await desk.whileRunning();
      return !workflowInfo().continueAsNewSuggested;
    };
    const next = await inFlight(plan.nextBatch, plan.batches, input.inFlight, hold, async (batch) => {
      const summary = `stage batch ${batch + 1} of ${plan.batches}`;
      const rows = await staging.stage.executeWithOptions({ summary }, [{ delivery, loadId, batch }]);
      staged = add(staged, rows);
      desk.show({ counts: staged });
    });
    if (next < plan.batches) return { kind: 'continue' };
    desk.show({ next: 'Publishes the staged rows.' });
  }
  await desk.whileRunning();
  const reason = plan.files === 0 ? `${request.reason} It has no parts: an empty day.` : request.reason;
  return publish(input, { ...request, reason }, loadId, `publish ${writeFiles(plan)}`);
}

/** Publishes what was staged before. It is not planned anew: then it might be another version. */
async function publishHeld(
  desk: Desk,
  input: DeliveryInput,
  request: LoadRequest,
  { loadId, accepted }: NonNullable<LoadRequest['held']>,
): Promise<LoadOutcome> {
  await desk.whileRunning();
  desk.show({ finality: 'loading', next: 'Publishes the version that was held.' });
  return publish(input, request, loadId, `publish load ${loadId}, which was held`, accepted);
}

async function publish(
  input: DeliveryInput,
  { finality, reason, notice: asked, answers }: LoadRequest,
  loadId: string,
  summary: string,
  accepted?: string,
): Promise<LoadOutcome> {
  const { publishing } = long(input.heartbeatTimeout);
  const { notice, ...counts } = await publishing.publish.executeWithOptions({ summary }, [
    {
      delivery: deliveryOf(input),
      loadId,
      finality,
      reason,
      ...(asked === undefined ? {} : { notice: asked }),
      ...(answers.length === 0 ? {} : { answers }),
      ...(accepted === undefined ? {} : { accepted }),
    },
  ]);
  return { kind: 'published', counts, reason, notice };
}

/** `12 files`, or `12 files beside 4988`. */
function writeFiles({ files, kept = 0, published }: Plan): string {
  const count = published ? files : files - kept;
  const beside = published || kept === 0 ? '' : ` beside ${kept}`;
  return `${count} ${count === 1 ? 'file' : 'files'}${beside}`;
}

type Rows = Omit<LoadCounts, 'duplicate'>;

function countsOf(plan: Plan): LoadCounts {
  return { ...plan.staged, duplicate: 0 };
}

function add(sum: LoadCounts, rows: Rows): LoadCounts {
  return {
    files: sum.files + rows.files,
    bytes: sum.bytes + rows.bytes,
    parsed: sum.parsed + rows.parsed,
    loaded: sum.loaded + rows.loaded,
    quarantined: sum.quarantined + rows.quarantined,
    duplicate: sum.duplicate,
  };
}

/** A file that cannot be read may still be written anew; everything else is planned again at once. */
export function waitsForVendor(type: FailureType): boolean {
  return type === failureTypes.fileUnreadable;
}
