import { WorkflowNotFoundError } from '@temporalio/client';

import { deliveryStart } from '../config/delivery-start.js';
import type { DeliverySignal, SignalArgument } from '../model/control.js';
import { hasStore, type SourceConfig } from '../config/schema.js';
import type { Delivery, Finality } from '../model/delivery.js';
import { readDelivery, type KnownDelivery } from '../warehouse/read-finality.js';
import { parseDeliveryId } from './delivery-name.js';
import { hasWorker, noWorkerNote } from './has-worker.js';
import { writeInstant } from './instant.js';
import { isRunning } from './is-running.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode } from './session.js';
import { deliveryAttributes } from '../model/typed-attributes.js';
import { UsageError } from './usage-error.js';
import { workflowLink } from './web-ui.js';
import { withLedger } from './with-ledger.js';
import { withTemporal, type TemporalSession } from './with-temporal.js';

export interface SignalRequest {
  readonly signal: DeliverySignal;
  readonly delivery: string;
  readonly reason: string;
}

/** What was sent, and how to see what becomes of it. */
export interface SentSignal extends SignalRequest {
  /** False: the workflow was running and got the signal. True: it was started with it. */
  readonly started: boolean;
  readonly runId?: string;
  readonly webUi?: string;
}

/**
 * Sends a signal to a delivery's workflow. `pause` and `resume` mean something only to a running one; the others start a
 * workflow that has ended, or was never started, together with the signal.
 */
export async function signalDelivery(
  place: Place,
  request: SignalRequest,
  output: Output,
): Promise<ExitCode> {
  const reason = request.reason.trim();
  if (reason === '') throw new UsageError('--reason is empty. Say why: it is kept in the ledger.');
  // A slip of the pen is told at once, not after a connection that may take seconds.
  parseDeliveryId(place.config.sources, request.delivery, undefined);
  const known = await withLedger(place, (pool) => readDelivery(pool, request.delivery));
  const { source, delivery } = parseDeliveryId(place.config.sources, request.delivery, known);
  if (delivery === undefined) throw new Error(unknownJob(request.delivery, source));
  if (known === undefined && !hasStore(source)) throw new Error(unknownBatch(delivery.id, source));
  const sent = await withTemporal(place, async (session) => {
    const running = await isRunning(session, delivery.id);
    const standing = { source, finality: known?.finality, running };
    const result = await send(place, session, delivery, { ...request, reason }, standing);
    if (!(await hasWorker(session, place.config.temporal.taskQueue))) {
      output.note(noWorkerNote(place.config.temporal.taskQueue));
    }
    return result;
  });
  if (request.signal === 'discard' && known?.finality === 'discarded' && !known.byRule) {
    output.note(writeAlready(known));
  }
  output.result(sent, () => writeSent(sent));
  return 0;
}

function writeAlready({ id, since, reason }: KnownDelivery): string {
  return (
    `${id} is discarded already, since ${writeInstant(since.toISOString())} (${reason ?? 'no reason given'}). Its history ` +
    `will say that it was asked for again.`
  );
}

/** Where a job lies, its name does not tell. */
function unknownJob(id: string, { name }: SourceConfig): string {
  return (
    `The ledger does not know the delivery ${id}, and its name does not tell the day that it lies under. To load older ` +
    `ones, name their days: 'landfall backfill ${name} --from … --to …'.`
  );
}

/** A batch is in the ledger before anything else knows of it. */
function unknownBatch(id: string, { name, vendor }: SourceConfig): string {
  return (
    `The ledger does not know the delivery ${id}. Those of ${name} are made of what ${vendor} has sent; ` +
    `'landfall status ${name}' lists them.`
  );
}

interface Standing {
  readonly source: SourceConfig;
  /** Undefined: the ledger does not know the delivery. */
  readonly finality: Finality | undefined;
  /** Undefined: Temporal does not know it either. */
  readonly running: boolean | undefined;
}

async function send(
  place: Place,
  { client, namespace }: TemporalSession,
  delivery: Delivery,
  request: SignalRequest,
  { source, finality, running }: Standing,
): Promise<SentSignal> {
  const { id, type, date } = delivery;
  const { signal, reason } = request;
  const argument: SignalArgument = { reason };
  if (finality === undefined && running === undefined && signal !== 'reprocess') {
    throw new Error(
      `Neither the ledger nor Temporal knows the delivery ${id}, so there is nothing to ${signal}. To load it, use ` +
        `'landfall backfill ${source.name} --from ${date} --to ${date} --type ${type}'.`,
    );
  }
  const sent = (started: boolean, runId?: string): SentSignal => {
    const webUi = workflowLink(place, namespace, id, runId);
    return {
      signal,
      delivery: id,
      reason,
      started,
      ...(runId === undefined ? {} : { runId }),
      ...(webUi === undefined ? {} : { webUi }),
    };
  };
  if (signal === 'pause' || signal === 'resume') {
    if (running !== true) throw new Error(notRunning(id, signal, finality));
    try {
      await client.workflow.getHandle(id).signal(signal, argument);
    } catch (error) {
      // It ended between our look and the signal.
      if (error instanceof WorkflowNotFoundError)
        throw new Error(notRunning(id, signal, undefined), { cause: error });
      throw error;
    }
    return sent(false);
  }
  const start = deliveryStart(source, delivery, Date.now());
  const handle = await client.workflow.signalWithStart(start.workflowType, {
    workflowId: start.workflowId,
    taskQueue: place.config.temporal.taskQueue,
    args: [start.input],
    signal,
    signalArgs: [argument],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: deliveryAttributes(start.input),
    staticSummary: start.staticSummary,
    staticDetails: start.staticDetails,
  });
  return sent(running !== true, handle.signaledRunId);
}

function notRunning(id: string, signal: DeliverySignal, finality: Finality | undefined): string {
  const standing = finality === undefined ? '' : ` It is ${finality} in the ledger.`;
  return (
    `The workflow of delivery ${id} is not running, so there is nothing to ${signal}.${standing} ` +
    `'landfall reprocess' starts it again.`
  );
}

function writeSent({ signal, delivery, reason, started, webUi }: SentSignal): string {
  const how = started ? 'its workflow was started for it' : 'its running workflow has it';
  return [
    `Sent '${signal}' to ${delivery}: ${how}. Reason: ${reason}`,
    `To watch it: landfall show ${delivery}`,
    ...(webUi === undefined ? [] : [`Web UI: ${webUi}`]),
  ].join('\n');
}
