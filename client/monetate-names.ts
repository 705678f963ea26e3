import type { WorkflowHandle } from '@temporalio/client';

import {
  namesStart,
  namesWorkflow,
  type NamesResult,
  type NamesStart,
  type NamesStatus,
} from '../model/names.js';
import { hasWorker, noWorkerNote } from './has-worker.js';
import { isRunning } from './is-running.js';
import type { Place } from './place.js';
import type { ExitCode, Session } from './session.js';
import { sourceOfVendor } from './source-of-vendor.js';
import { sourceAttributes } from '../model/typed-attributes.js';
import { UsageError } from './usage-error.js';
import { watchWorkflow } from './watch-workflow.js';
import { workflowLink } from './web-ui.js';
import { withTemporal, type TemporalSession } from './with-temporal.js';

export interface NamesRequest {
  /** May be left out where there is but one Monetate source. */
  readonly source: string | undefined;
  /** Only ids without a name in the sessions of this day. */
  readonly day: string | undefined;
}

interface Begun {
  readonly workflowId: string;
  /** False: it was under way already. */
  readonly started: boolean;
  readonly webUi?: string;
}

/** Has ids named, or joins the run that does it, and waits for it. */
export async function refreshNames(
  place: Place,
  request: NamesRequest,
  { output, terminal }: Session,
): Promise<ExitCode> {
  const start = startOf(place, request);
  return withTemporal<ExitCode>(place, async (temporal) => {
    const { handle, ...begun } = await begin(place, temporal, start);
    if (!(await hasWorker(temporal, place.config.temporal.taskQueue))) {
      output.note(noWorkerNote(place.config.temporal.taskQueue));
    }
    output.note(`${writeBegun(begun)}\nCtrl-C stops the watching, not the run.`);
    const result = await watchWorkflow<NamesResult, NamesStatus>(place, handle, terminal, {
      what: 'The run',
      tell: ({ next }) => next,
    });
    output.result({ ...begun, ...result }, () => result.reason);
    return 0;
  });
}

function startOf(place: Place, { source, day }: NamesRequest): NamesStart {
  const config = sourceOfVendor(place.config.sources, 'monetate', 'Monetate', source);
  if (config.vendor !== 'monetate') {
    throw new UsageError(
      `Source '${config.name}' is of ${config.vendor}. Only Monetate's ids are named in this way.`,
    );
  }
  if (config.metadata === undefined) {
    throw new UsageError(
      `Source '${config.name}' has no API to ask: set sources.${config.name}.metadata, with the account, username and ` +
        `privateKey of an API key.`,
    );
  }
  return namesStart(config.name, day);
}

async function begin(
  place: Place,
  session: TemporalSession,
  { workflowId, input, staticSummary, staticDetails }: NamesStart,
): Promise<Begun & { readonly handle: WorkflowHandle }> {
  const running = await isRunning(session, workflowId);
  const handle = await session.client.workflow.start(namesWorkflow, {
    ...{ workflowId, taskQueue: place.config.temporal.taskQueue, args: [input] },
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: sourceAttributes(input.source, 'monetate'),
    ...{ staticSummary, staticDetails },
  });
  const webUi = workflowLink(place, session.namespace, workflowId, handle.firstExecutionRunId);
  return { handle, workflowId, started: running !== true, ...(webUi === undefined ? {} : { webUi }) };
}

function writeBegun({ workflowId, started, webUi }: Begun): string {
  return [
    started ? `Started ${workflowId}.` : `Joined ${workflowId}, which is under way.`,
    ...(webUi === undefined ? [] : [`Web UI: ${webUi}`]),
  ].join('\n');
}
