import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';

import { writeDuration } from '../../config/duration.js';
import { hasStore, type SourceConfig } from '../../config/schema.js';
import { workflowTypes } from '../../model/control.js';
import { namesId, namesStart, namesWorkflow } from '../../model/names.js';
import { sourceAttributes } from '../../model/typed-attributes.js';
import type { TemporalSession } from '../with-temporal.js';

export function scheduleId(source: string): string {
  return `${source}/${workflowTypes.discover}`;
}

/** Spread over a tenth of the interval, so that many sources do not ask their stores in the same second. */
const jitterShare = 0.1;
const mostJitter = 60_000;

type WorkflowSchedule = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

/** A schedule that a source has or once had. */
export interface SourceSchedule {
  readonly id: string;
  /** Milliseconds. */
  readonly every: number;
  /** Absent: the source no longer has it. */
  readonly options?: WorkflowSchedule;
  /** What does not happen while it is paused. */
  readonly whilePaused: string;
}

/** Every schedule of a source, and those that it would have by other settings. */
export function schedulesOf(source: SourceConfig, taskQueue: string): readonly SourceSchedule[] {
  const { name, discoverEvery: every } = source;
  const discover = {
    ...{ id: scheduleId(name), every, options: discoverSchedule(source, taskQueue) },
    whilePaused: hasStore(source)
      ? 'New deliveries are not found'
      : 'What waits in the inbox is gathered only when something comes, and nothing is deleted from it',
  };
  if (source.vendor !== 'monetate') return [discover];
  const names = { id: namesId(name), whilePaused: 'New names are not asked for' };
  const refreshEvery = source.metadata?.refreshEvery;
  return refreshEvery === undefined
    ? [discover, { ...names, every: 0 }]
    : [discover, { ...names, every: refreshEvery, options: namesSchedule(source, refreshEvery, taskQueue) }];
}

function discoverSchedule(source: SourceConfig, taskQueue: string): WorkflowSchedule {
  const every = source.discoverEvery;
  const attributes = sourceAttributes(source.name, source.vendor);
  return {
    scheduleId: scheduleId(source.name),
    spec: specOf(every),
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
      staticDetails: `Every ${writeDuration(every)}: ${whatDiscovers(source)}`,
    },
  };
}

function whatDiscovers(source: SourceConfig): string {
  const { name, vendor } = source;
  if (hasStore(source)) {
    return (
      `starts the deliveries of **${name}** (${vendor}) that the store or the calendar shows and the ledger does not know as ` +
      `settled.`
    );
  }
  const kept =
    source.keepInbox === 0
      ? 'as soon as they are loaded'
      : `${writeDuration(source.keepInbox)} after they were loaded`;
  return (
    `has what waits in the inbox of **${name}** (${vendor}) gathered, in case nobody has told of it, starts deliveries again ` +
    `whose workflow has ended by accident, and deletes bodies ${kept}.`
  );
}

function namesSchedule(source: SourceConfig, every: number, taskQueue: string): WorkflowSchedule {
  const attributes = sourceAttributes(source.name, source.vendor);
  const { workflowId, input, staticSummary, staticDetails } = namesStart(source.name);
  return {
    scheduleId: workflowId,
    spec: specOf(every),
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day' },
    typedSearchAttributes: attributes,
    action: {
      type: 'startWorkflow',
      workflowType: namesWorkflow,
      workflowId,
      taskQueue,
      args: [input],
      workflowExecutionTimeout: '1 day',
      typedSearchAttributes: attributes,
      staticSummary,
      staticDetails: `Every ${writeDuration(every)}: ${staticDetails}`,
    },
    // Whoever has just set it up need not wait a day for names.
    state: { triggerImmediately: true },
  };
}

function specOf(every: number): WorkflowSchedule['spec'] {
  return { intervals: [{ every }], jitter: Math.min(Math.floor(every * jitterShare), mostJitter) };
}

export type ScheduleChange = 'created' | 'updated' | 'removed' | 'absent';

/** Makes a schedule what the configuration says. One that a person has paused stays paused. */
export async function ensureSchedule(
  { client }: TemporalSession,
  { id, options: wanted }: SourceSchedule,
): Promise<ScheduleChange> {
  const handle = client.schedule.getHandle(id);
  if (wanted === undefined) {
    return handle.delete().then(
      () => 'removed',
      (error: unknown) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        return 'absent';
      },
    );
  }
  try {
    await client.schedule.create(wanted);
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await handle.update(({ state }) => ({ ...wanted, state }));
    return 'updated';
  }
}
