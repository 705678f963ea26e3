import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** Workflows of a test's own. */
export function bundleWorkflows(file: URL): Promise<WorkflowBundleWithSourceMap> {
  const quiet = (): void => undefined;
  return bundleWorkflowCode({
    workflowsPath: file.pathname,
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error },
  });
}
