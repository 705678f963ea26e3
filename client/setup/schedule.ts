import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';

import { writeDuration } from '../../config/duration.js';
import type { SourceConfig } from '../../config/schema.js';
import { workflowTypes } from '../../model/control.js';
import { sourceAttributes } from '../typed-attributes.js';
import type { TemporalSession } from '../with-temporal.js';

export function scheduleId(source: string): string {
  return `${source}/${workflowTypes.discover}`;
}

/** Spread over a tenth of the interval, so that many sources do not ask their stores in the same second. */
const jitterShare = 0.1;
const mostJitter = 60_000;

type DiscoverSchedule = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

export function discoverSchedule(source: SourceConfig, taskQueue: string): DiscoverSchedule {
  const every = source.discoverEvery;
  const attributes = sourceAttributes(source.name, source.vendor);
  return {
    scheduleId: scheduleId(source.name),
    spec: {
      intervals: [{ every }],
      jitter: Math.min(Math.floor(every * jitterShare), mostJitter),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day' },
    typedSearchAttributes: attributes,
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.discover,
      workflowId: scheduleId(source.name),
      taskQueue,
      args: [{ source: source.name }],
      // With SKIP, a run that is stuck would keep all later ones from starting.
      workflowExecutionTimeout: '1 hour',
      typedSearchAttributes: attributes,
      staticSummary: `${source.name}: look for new deliveries`,
      staticDetails:
        `Every ${writeDuration(every)}: starts the deliveries of **${source.name}** (${source.vendor}) that the store or ` +
        `the calendar shows and the ledger does not know as settled.`,
    },
  };
}

/** Makes the schedule what the configuration says. One that a person has paused stays paused. */
export async function ensureSchedule(
  { client }: TemporalSession,
  source: SourceConfig,
  taskQueue: string,
): Promise<'created' | 'updated'> {
  const { scheduleId: id, ...options } = discoverSchedule(source, taskQueue);
  try {
    await client.schedule.create({ scheduleId: id, ...options });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(id).update(({ state }) => ({ ...options, state }));
    return 'updated';
  }
}
