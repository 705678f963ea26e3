import proto from '@temporalio/proto';

import type { TemporalSession } from './with-temporal.js';

/** Whether anybody has asked the task queue for work lately (within five minutes, which is what the server remembers). */
export async function hasWorker(
  { connection, namespace }: TemporalSession,
  taskQueue: string,
): Promise<boolean> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return (pollers ?? []).length > 0;
}

export function noWorkerNote(taskQueue: string): string {
  return `No worker is running on task queue '${taskQueue}', so nothing happens yet: start one with 'landfall worker'.`;
}
