/** What a person sees of workflows on the dev server, and can do to them. */

import {
  isGrpcDeadlineError,
  type Client,
  type Workflow,
  type WorkflowHandle,
  type WorkflowResultType,
} from '@temporalio/client';

import { eventually } from '../support/eventually.js';

/** The table that the Web UI shows; needs a worker that answers. */
export async function currentDetails(workflow: WorkflowHandle): Promise<string> {
  const metadata = await query<{ currentDetails?: string }>(workflow, '__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

/**
 * Asks a workflow. The SDK waits for an answer without end, and the time-skipping server seems to lose a question at times
 * that comes as a timer fires: it is asked again then, three times at most.
 */
export async function query<T>(workflow: WorkflowHandle, name: string): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const deadline = Date.now() + 10_000;
      return await workflow.client.connection.withDeadline(deadline, () => workflow.query<T>(name));
    } catch (error) {
      if (attempt === 3 || !isGrpcDeadlineError(error)) throw error;
      console.log(`    ${workflow.workflowId} did not answer '${name}'; it is asked again`);
    }
  }
}

/** Ids of the children that a run asked for, in order. */
export async function childrenStarted(workflow: WorkflowHandle): Promise<string[]> {
  const { events } = await workflow.fetchHistory();
  return (events ?? []).flatMap(
    (event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? [],
  );
}

/** The result, without a call that stays open when the test gives up: one that does ends the whole process. */
export async function resultOf<T extends Workflow>(
  workflow: WorkflowHandle<T>,
  timeoutMs = 20_000,
): Promise<WorkflowResultType<T>> {
  await eventually(async () => (await workflow.describe()).status.name !== 'RUNNING', {
    timeoutMs,
    everyMs: 50,
    what: `the end of ${workflow.workflowId}`,
  });
  return workflow.result();
}

/** The ids of the runs of one workflow, oldest first, from its newest. */
export async function runsOf(client: Client, workflowId: string): Promise<string[]> {
  const runs: string[] = [];
  for (let runId: string | undefined; ;) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const started = events?.[0]?.workflowExecutionStartedEventAttributes;
    runs.unshift(started?.originalExecutionRunId ?? '');
    runId = started?.continuedExecutionRunId ?? '';
    if (runId === '') return runs;
  }
}

export async function terminateAll(client: Client, taskQueue: string): Promise<void> {
  const query = `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    await client.workflow
      .getHandle(workflowId)
      .terminate('the test is over')
      .catch(() => undefined);
  }
}

/** What a run was started with. */
export async function inputOf<T>(workflow: WorkflowHandle): Promise<T> {
  const { events } = await workflow.fetchHistory();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return JSON.parse(Buffer.from(payload?.data ?? []).toString()) as T;
}
