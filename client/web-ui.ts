import type { Place } from './place.js';

/** Pages of Temporal's Web UI. Undefined where its address is not known. */
export function workflowLink(
  place: Place,
  namespace: string,
  workflowId: string,
  runId?: string,
): string | undefined {
  if (place.webUi === undefined) return undefined;
  const workflows = `${place.webUi.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows`;
  // A workflow's page needs the run; without it, the list of all runs of the id is what can be linked.
  return runId === undefined
    ? `${workflows}?query=${encodeURIComponent(`WorkflowId="${workflowId}"`)}`
    : `${workflows}/${encodeURIComponent(workflowId)}/${runId}/history`;
}
