import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy } from '@temporalio/common';
import { ChildWorkflowCancellationType, ParentClosePolicy, startChild } from '@temporalio/workflow';

import type { DeliveryInput } from '../model/control.js';
import { namesStart, namesWorkflow } from '../model/names.js';
import { sourceAttributes } from '../model/typed-attributes.js';

/**
 * Has those ids in the sessions of a day named that have no name yet, whatever becomes of us. One that does so already
 * is left to it.
 */
export async function refreshNamesOf({ source, vendor, date }: DeliveryInput): Promise<void> {
  const { workflowId, input, staticSummary, staticDetails } = namesStart(source, date);
  try {
    await startChild(namesWorkflow, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      typedSearchAttributes: sourceAttributes(source, vendor),
      staticSummary,
      staticDetails,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
