import type { WorkflowHandle } from '@temporalio/client';

import { deliveriesOf, isLeftAlone } from '../activities/backfill.js';
import { findSource } from '../config/find-source.js';
import { hasStore, type SourceConfig } from '../config/schema.js';
import { backfillId, workflowTypes, type BackfillInput, type BackfillStatus } from '../model/control.js';
import { addDays, countDays, dayOf } from '../model/day.js';
import type { Finality } from '../model/delivery.js';
import { openStore } from '../stores/open.js';
import { vendors } from '../vendors/registry.js';
import type { Vendor } from '../vendors/vendor.js';
import { readFinality } from '../warehouse/read-finality.js';
import { requireType } from './delivery-name.js';
import { hasWorker, noWorkerNote } from './has-worker.js';
import { isRunning } from './is-running.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode, Session } from './session.js';
import { writeTable } from './table.js';
import { sourceAttributes } from '../model/typed-attributes.js';
import { UsageError } from './usage-error.js';
import { watchBackfill } from './watch-backfill.js';
import { workflowLink } from './web-ui.js';
import { withLedger } from './with-ledger.js';
import { withTemporal, type TemporalSession } from './with-temporal.js';

export interface BackfillRequest {
  readonly source: string;
  readonly from: string;
  readonly to: string;
  readonly type?: string;
  readonly maxInFlight: number;
}

interface Range extends BackfillInput {
  readonly config: SourceConfig;
}

function rangeOf(place: Place, request: BackfillRequest): Range {
  const { from, to, type, maxInFlight } = request;
  const config = findSource(place.config.sources, request.source);
  if (!hasStore(config)) throw new UsageError(nothingToBackfill(config));
  if (type !== undefined) requireType(config, type);
  if (from > to) throw new UsageError(`--from ${from} lies after --to ${to}.`);
  const today = dayOf(Date.now());
  if (to > today) throw new UsageError(`--to ${to} has not begun: today is ${today} (UTC).`);
  return {
    config,
    source: config.name,
    from,
    to: lastOf(config, to, today),
    types: type === undefined ? config.types : [type],
    maxInFlight,
  };
}

/** The id of the backfill of a range, be it running or not. */
export function backfillIdOf(place: Place, range: Omit<BackfillRequest, 'maxInFlight'>): string {
  const { source, from, to, types } = rangeOf(place, { ...range, maxInFlight: 1 });
  return backfillId(source, from, to, types);
}

function nothingToBackfill({ name, vendor }: SourceConfig): string {
  return (
    `Source '${name}' has nothing to backfill: ${vendor} sends to us, and what it sent earlier lies nowhere else. What came is ` +
    `loaded by itself. One delivery is loaded again by 'landfall reprocess', as long as its bodies are kept (keepInbox).`
  );
}

/** A day that is final only when the next one is loaded takes that one along, unless it still runs. */
function lastOf({ vendor }: SourceConfig, to: string, today: string): string {
  const { deliveries }: Vendor = vendors[vendor];
  const next = addDays(to, 1);
  return deliveries.are === 'days' && deliveries.needNext === true && next < today ? next : to;
}

function sayOfNext(range: Range, request: BackfillRequest, output: Output): void {
  if (range.to === request.to) return;
  output.note(
    `${range.to} is loaded too: ${request.to} is final only when what belongs to it of the day after is loaded.`,
  );
}

export interface PlannedDelivery {
  readonly delivery: string;
  readonly plan: 'start' | 'leave alone';
  /** Undefined: the ledger does not know it. */
  readonly finality?: Finality;
}

/** What the backfill would start and leave alone, by the ledger. Starts nothing. */
export async function planBackfill(
  place: Place,
  request: BackfillRequest,
  output: Output,
): Promise<ExitCode> {
  const range = rangeOf(place, request);
  sayOfNext(range, request, output);
  const deliveries = await deliveriesOfRange(range);
  const ids = deliveries.map(({ id }) => id);
  const found = await withLedger(place, (pool) => readFinality(pool, ids));
  const known = new Map(found.map((row) => [row.id, row]));
  const plan = deliveries.map((delivery): PlannedDelivery => {
    const standing = known.get(delivery.id);
    return {
      delivery: delivery.id,
      plan: isLeftAlone(delivery, standing) ? 'leave alone' : 'start',
      ...(standing ? { finality: standing.finality } : {}),
    };
  });
  const total = plan.length;
  const starts = plan.filter((row) => row.plan === 'start').length;
  output.result(plan, () =>
    [
      writeTable(plan, [
        { title: 'DELIVERY', cell: (row) => row.delivery },
        { title: 'PLAN', cell: (row) => row.plan },
        { title: 'NOW', cell: (row) => row.finality ?? 'not in the ledger' },
      ]),
      '',
      `It would start ${starts} of ${total} deliveries and leave ${total - starts} alone. Nothing was started.`,
    ].join('\n'),
  );
  return 0;
}

/** What there is to backfill: of jobs what the store shows, which is listed for it. */
export async function deliveriesOfRange(
  range: BackfillInput & { readonly config: SourceConfig },
): Promise<Awaited<ReturnType<typeof deliveriesOf>>> {
  const { config } = range;
  const store = openStore(config);
  try {
    const days = countDays(range.from, range.to);
    const opened = { config, vendor: vendors[config.vendor], store };
    return await deliveriesOf(opened, { ...range, daysDone: 0, days }, new AbortController().signal);
  } finally {
    await store.close();
  }
}

interface StartedBackfill {
  readonly workflowId: string;
  /** False: the very same backfill was running already. */
  readonly started: boolean;
  readonly webUi?: string;
}

/** Starts the backfill, or joins it when the very same one runs, and waits for it if asked to. */
export async function startBackfill(
  place: Place,
  request: BackfillRequest & { readonly wait: boolean },
  session: Session,
): Promise<ExitCode> {
  const { output } = session;
  // A slip of the pen is told at once, not after a connection that may take seconds.
  sayOfNext(rangeOf(place, request), request, output);
  return withTemporal(place, async (temporal) => {
    const { handle, ...begun } = await beginBackfill(place, temporal, request);
    if (!(await hasWorker(temporal, place.config.temporal.taskQueue))) {
      output.note(noWorkerNote(place.config.temporal.taskQueue));
    }
    if (!request.wait) {
      output.result(begun, () => writeStarted(begun));
      return 0;
    }
    output.note(`${writeStarted(begun)}\nCtrl-C stops the watching, not the backfill.`);
    const status = await watchBackfill(place, handle, session.terminal);
    return report(place, begun, status, output);
  });
}

/** Starts the workflow, or finds it running. */
export async function beginBackfill(
  place: Place,
  session: TemporalSession,
  request: BackfillRequest,
): Promise<StartedBackfill & { readonly handle: WorkflowHandle }> {
  const { config, source, from, to, types, maxInFlight } = rangeOf(place, request);
  const workflowId = backfillId(source, from, to, types);
  const input: BackfillInput = { source, from, to, types, maxInFlight };
  const { client, namespace } = session;
  const running = await isRunning(session, workflowId);
  const handle = await client.workflow.start(workflowTypes.backfill, {
    workflowId,
    taskQueue: place.config.temporal.taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: sourceAttributes(source, config.vendor),
    staticSummary: `${source}: backfill of ${types.join(' and ')}, ${from} to ${to}`,
    staticDetails:
      `Loads **${types.join('** and **')}** of **${source}** from ${from} to ${to} (UTC days), newest first, ` +
      `${maxInFlight} at a time, each as a workflow of its own. Days that are final, skipped or discarded are left alone.`,
  });
  const webUi = workflowLink(place, namespace, workflowId, handle.firstExecutionRunId);
  return { handle, workflowId, started: running !== true, ...(webUi === undefined ? {} : { webUi }) };
}

function writeStarted({ workflowId, started, webUi }: StartedBackfill): string {
  return [
    `${started ? 'Started' : 'Joined the running'} backfill ${workflowId}`,
    ...(webUi === undefined ? [] : [`Web UI: ${webUi}`]),
  ].join('\n');
}

async function report(
  place: Place,
  begun: StartedBackfill,
  status: BackfillStatus,
  output: Output,
): Promise<ExitCode> {
  const failed =
    status.failed.length === 0
      ? []
      : (await withLedger(place, (pool) => readFinality(pool, status.failed))).map(({ id, reason }) => ({
          delivery: id,
          reason,
        }));
  const missing = status.failed.filter((id) => !failed.some(({ delivery }) => delivery === id));
  const failures = [...failed, ...missing.map((delivery) => ({ delivery, reason: null }))];
  const count = status.settled.failed ?? 0;
  output.result({ ...begun, ...status, failed: failures }, () => {
    const settled = Object.entries(status.settled).map(
      ([finality, deliveries]) => `${deliveries} ${finality}`,
    );
    return [
      `Of ${status.started + status.leftAlone} deliveries ${status.started} were started and ${status.leftAlone} left alone. ` +
        `Came to rest: ${settled.join(', ') || 'none'}.`,
      ...(status.stopped === undefined
        ? []
        : [`It was stopped (${status.stopped}); ${status.inFlight.length} of its deliveries go on.`]),
      ...failures.map(
        ({ delivery, reason }) => `  ${delivery} failed: ${reason ?? 'the ledger has no reason.'}`,
      ),
      ...(count > failures.length ? [`  and ${count - failures.length} more; see 'landfall status'`] : []),
    ].join('\n');
  });
  return count > 0 || status.stopped !== undefined ? 1 : 0;
}
