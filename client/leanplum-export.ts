import type { WorkflowHandle } from '@temporalio/client';

import { addDays } from '../model/day.js';
import {
  exportId,
  exportWorkflow,
  type AskedFormat,
  type ExportInput,
  type ExportResult,
  type ExportStatus,
} from '../model/export.js';
import { exportsReachBack } from '../vendors/leanplum/export.js';
import { pacificDay } from '../vendors/leanplum/pacific.js';
import { hasWorker, noWorkerNote } from './has-worker.js';
import { isRunning } from './is-running.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode, Session } from './session.js';
import { sourceOfVendor } from './source-of-vendor.js';
import { sourceAttributes } from '../model/typed-attributes.js';
import { UsageError } from './usage-error.js';
import { watchWorkflow } from './watch-workflow.js';
import { workflowLink } from './web-ui.js';
import { withTemporal, type TemporalSession } from './with-temporal.js';

export interface ExportRequest {
  /** May be left out where there is but one Leanplum source. */
  readonly source?: string;
  /** Pacific days, both included. */
  readonly from: string;
  readonly to: string;
  readonly format: AskedFormat;
}

interface StartedExport {
  readonly workflowId: string;
  /** False: the very same export was under way already. */
  readonly started: boolean;
  readonly webUi?: string;
}

/** Starts the export, or joins it when the very same one is under way, and waits for it if asked to. */
export async function startExport(
  place: Place,
  request: ExportRequest & { readonly wait: boolean },
  session: Session,
): Promise<ExitCode> {
  const { output } = session;
  // A slip of the pen is told before it costs one of 24 exports a day.
  const input = inputOf(place, request, Date.now());
  return withTemporal(place, async (temporal) => {
    const { handle, ...begun } = await beginExport(place, temporal, input);
    if (!(await hasWorker(temporal, place.config.temporal.taskQueue))) {
      output.note(noWorkerNote(place.config.temporal.taskQueue));
    }
    if (!request.wait) {
      output.result(begun, () => writeStarted(begun, input));
      return 0;
    }
    output.note(`${writeStarted(begun, input)}\nCtrl-C stops the watching, not the export.`);
    const result = await watchWorkflow<ExportResult, ExportStatus>(place, handle, session.terminal, {
      what: 'The export',
      tell,
      delivery: ({ delivery }) => delivery,
    });
    return report(begun, result, output);
  });
}

/** Throws a `UsageError` that names the rule for what cannot be asked for. */
function inputOf(place: Place, { source, from, to, format }: ExportRequest, now: number): ExportInput {
  const config = sourceOfVendor(place.config.sources, 'leanplum', 'Leanplum', source);
  if (config.vendor !== 'leanplum') {
    throw new UsageError(
      `Source '${config.name}' is of ${config.vendor}. Only Leanplum's can be exported in this way.`,
    );
  }
  if (config.api === undefined) {
    throw new UsageError(
      `Source '${config.name}' has no API to ask: set sources.${config.name}.api, with the appId and the clientKey for ` +
        `data export.`,
    );
  }
  if (from > to) throw new UsageError(`--from ${from} lies after --to ${to}.`);
  const today = pacificDay(now);
  const oldest = addDays(today, -exportsReachBack);
  if (to > today) throw new UsageError(`--to ${to} has not begun: today is ${today} (Pacific).`);
  if (from < oldest) {
    throw new UsageError(
      `--from ${from} lies too far back: Leanplum exports the last ${exportsReachBack} days, from ${oldest} on (Pacific).`,
    );
  }
  return { source: config.name, from, to, format };
}

/** Starts the workflow, or finds it running. */
async function beginExport(
  place: Place,
  session: TemporalSession,
  input: ExportInput,
): Promise<StartedExport & { readonly handle: WorkflowHandle }> {
  const { client, namespace } = session;
  const { source, from, to, format } = input;
  const workflowId = exportId(input);
  const running = await isRunning(session, workflowId);
  const handle = await client.workflow.start(exportWorkflow, {
    workflowId,
    taskQueue: place.config.temporal.taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: sourceAttributes(source, 'leanplum'),
    staticSummary: `${source}: export of ${from} to ${to}, ${format}`,
    staticDetails:
      `Asks Leanplum for the sessions of **${from}** to **${to}** (Pacific days) as ${format}, once: it counts as one of ` +
      `24 exports a day. When it is finished, a delivery of its own loads it into **${source}**. Cancelling ends the ` +
      `waiting; a delivery that has begun goes on.`,
  });
  const webUi = workflowLink(place, namespace, workflowId, handle.firstExecutionRunId);
  return { handle, workflowId, started: running !== true, ...(webUi === undefined ? {} : { webUi }) };
}

function writeStarted(
  { workflowId, started, webUi }: StartedExport,
  { from, to, format }: ExportInput,
): string {
  return [
    started
      ? `Started export ${workflowId}: Leanplum is asked for ${from} to ${to} (Pacific) as ${format}.`
      : `Joined the export ${workflowId}, which is under way: nothing is asked for twice.`,
    ...(webUi === undefined ? [] : [`Web UI: ${webUi}`]),
  ].join('\n');
}

function tell({ state, exportJob, delivery }: ExportStatus): string {
  if (delivery !== undefined) return `loading ${delivery}`;
  return `${state}${exportJob === undefined ? '' : ` (${exportJob})`}`;
}

function report(begun: StartedExport, result: ExportResult, output: Output): ExitCode {
  output.result({ ...begun, ...result }, () => result.reason);
  return result.delivery === undefined || result.delivery.finality === 'final' ? 0 : 1;
}
