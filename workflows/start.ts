import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';

import type { DeliveryStart } from '../config/delivery-start.js';
import { deliveryAttributes } from '../model/typed-attributes.js';

/**
 * Starts a delivery under its own id, to go on whatever becomes of us: that we are cancelled is not said of the delivery. One that runs already is left running and asked
 * to tell `listener` when it comes to rest.
 *
 * @returns whether it was started or found running; false when it ended just now, so that nobody will tell.
 */
export async function startDelivery(start: DeliveryStart, listener?: string): Promise<boolean> {
  const input = listener === undefined ? start.input : { ...start.input, notify: listener };
  try {
    await CancellationScope.nonCancellable(() =>
      startChild(start.workflowType, {
        workflowId: start.workflowId,
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        typedSearchAttributes: deliveryAttributes(input),
        staticSummary: start.staticSummary,
        staticDetails: start.staticDetails,
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (listener === undefined) return true;
    try {
      await getExternalWorkflowHandle(start.workflowId).signal('notify', listener);
      return true;
    } catch (gone) {
      if (isCancellation(gone)) throw gone;
      log.info(`${start.workflowId} ended before it could be asked to tell: ${String(gone)}`);
      return false;
    }
  }
}
