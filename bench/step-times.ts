import type { Client } from '@temporalio/client';

type LoadStep = 'plan' | 'stage' | 'publish';

/** Seconds. Steps of a kind that ran side by side count from the first one's start to the last one's end. */
export interface StepTimes extends Readonly<Record<LoadStep, number>> {
  /** From the start of the plan to the end of publishing. */
  readonly all: number;
}

/** How long the steps of a workflow's latest run took, by its history. It has loaded once. */
export async function stepTimes(client: Client, workflowId: string): Promise<StepTimes> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const types = new Map<string, string>();
  const starts = new Map<string, number>();
  const spans = new Map<string, { from: number; to: number }>();
  for (const event of events ?? []) {
    const at = Number(event.eventTime?.seconds) + Number(event.eventTime?.nanos) / 1e9;
    const scheduled = event.activityTaskScheduledEventAttributes;
    const started = event.activityTaskStartedEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    if (scheduled) types.set(String(event.eventId), scheduled.activityType?.name ?? '');
    if (started) starts.set(String(started.scheduledEventId), at);
    if (!completed) continue;
    const id = String(completed.scheduledEventId);
    const [type, from] = [types.get(id) ?? '', starts.get(id) ?? at];
    const earlier = spans.get(type);
    spans.set(type, { from: Math.min(earlier?.from ?? from, from), to: at });
  }
  const spanOf = (step: LoadStep): { from: number; to: number } => {
    const span = spans.get(step);
    if (span === undefined) throw new Error(`${workflowId} has no step ${step} in its history`);
    return span;
  };
  const lasted = (step: LoadStep): number => spanOf(step).to - spanOf(step).from;
  return {
    ...{ plan: lasted('plan'), stage: lasted('stage'), publish: lasted('publish') },
    all: spanOf('publish').to - spanOf('plan').from,
  };
}
