import { WorkflowNotFoundError } from '@temporalio/client';

import type { TemporalSession } from './with-temporal.js';

/** Undefined when Temporal does not know the workflow (any more: it forgets closed ones after the retention time). */
export async function isRunning({ client }: TemporalSession, id: string): Promise<boolean | undefined> {
  try {
    return (await client.workflow.getHandle(id).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
