/** Which step of which workflow an attempt is, by what Temporal and its input say. */

import type { Info } from '@temporalio/activity';

import type { TroubledStep } from '../warehouse/trouble.js';

export interface Step extends TroubledStep {
  readonly attempt: number;
  /** What of the vendor's it is about, where the input tells. */
  readonly types: readonly string[];
  /** Of the workflow, which for deliveries is the vendor's name. */
  readonly workflowType: string;
  /** The finality that the step writes, where it is told. */
  readonly finality?: string | undefined;
}

/** What inputs of steps have: all of a delivery, its id, or the source alone. */
interface StepInput {
  readonly delivery?: { readonly id: string; readonly source: string; readonly type: string };
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly types?: readonly string[];
  readonly finality?: string;
}

/** A schedule adds the time to the id of what it starts; troubles of one run are over when the next one succeeds. */
const scheduledAt = /-\d{4}-\d\d-\d\dT[\d:.]+Z$/;

export function stepOf(name: string, info: Info, input: unknown): Step {
  const { id, source, type, types, delivery, finality } = (
    typeof input === 'object' && input !== null ? input : {}
  ) as StepInput;
  const deliveryId = delivery?.id ?? id;
  // Ours are all started by workflows.
  const { workflowId, runId } = info.workflowExecution ?? { workflowId: '', runId: '' };
  return {
    workflowId: workflowId.replace(scheduledAt, ''),
    runId,
    name,
    activityId: info.activityId,
    attempt: info.attempt,
    deliveryId,
    source: delivery?.source ?? source ?? deliveryId?.split('/')[0],
    types: types ?? [delivery?.type ?? type].filter((one) => one !== undefined),
    workflowType: info.workflowType ?? '',
    finality,
  };
}
