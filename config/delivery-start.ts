import type { DeliveryInput } from '../model/control.js';
import { endOfDay } from '../model/day.js';
import type { Delivery } from '../model/delivery.js';
import { writeMinute } from '../vendors/completion.js';
import { vendors } from '../vendors/registry.js';
import type { Vendor } from '../vendors/vendor.js';
import { writeDuration } from './duration.js';
import type { SourceConfig } from './schema.js';

/** Everything that starts a delivery's workflow. Plain data without secrets: it also travels through histories. */
export interface DeliveryStart {
  /** The vendor's name. */
  readonly workflowType: string;
  /** The delivery's id. */
  readonly workflowId: string;
  readonly input: DeliveryInput;
  /** What the Web UI shows: one line, and Markdown. */
  readonly staticSummary: string;
  readonly staticDetails: string;
}

/**
 * How a delivery of a source is started, whoever starts it: schedule, backfill or a person. Its marker is awaited until
 * `giveUpAfter` past the end of its UTC day; for an old day that lies in the past, and it is looked for once.
 */
export function deliveryStart(source: SourceConfig, delivery: Delivery, now: number): DeliveryStart {
  const { type, date } = delivery;
  const deadline = endOfDay(date) + source.giveUpAfter;
  const closing = closingOf(source, type, date);
  return {
    workflowType: source.vendor,
    workflowId: delivery.id,
    input: {
      ...delivery,
      vendor: source.vendor,
      deadline,
      pollEvery: source.pollEvery,
      ...closing,
      ...uploadOf(source),
      ...(hasNames(source) ? { names: true } : {}),
      inFlight: source.filesInFlight,
      heartbeatTimeout: source.heartbeatTimeout,
    },
    staticSummary: summaryOf(source, delivery),
    // Short enough for the Web UI's box, which holds seven lines.
    staticDetails: [
      wholeOf(source, delivery) ??
        `What ${source.vendor} exported as **${type}** of **${date}** (UTC), into schema \`${source.schema}\`. ` +
          whenLoaded(source, closing, deadline, now),
      'Signals, each with `{"reason": "…"}`: `reprocess` loads it again, `accept` takes it as complete as it is, ' +
        '`skip` stops waiting, `discard` takes its rows out, `pause` and `resume`.',
    ].join('\n\n'),
  };
}

/** Whether the source has an API that says what ids are called. */
export function hasNames(source: SourceConfig): boolean {
  return 'metadata' in source && source.metadata !== undefined;
}

function kindOf(source: SourceConfig): Vendor['deliveries']['are'] {
  const vendor: Vendor = vendors[source.vendor];
  return vendor.deliveries.are;
}

function summaryOf(source: SourceConfig, delivery: Delivery): string {
  const { type, date } = delivery;
  const what = { days: `${type} of ${date}`, jobs: `job of ${date}`, batches: `batch of ${date}` };
  return `${source.name}: ${what[kindOf(source)]}`;
}

/** What a delivery is that is no day. */
function wholeOf(source: SourceConfig, delivery: Delivery): string | undefined {
  const are = kindOf(source);
  if (are === 'days') return undefined;
  return are === 'jobs' ? whatJob(source, delivery) : whatBatch(source, delivery);
}

function whatBatch(source: SourceConfig, { date }: Delivery): string {
  const kept =
    'keepInbox' in source && source.keepInbox > 0
      ? `kept in the inbox for ${writeDuration(source.keepInbox)} after that, and can be loaded again meanwhile`
      : 'deleted from the inbox after that';
  return (
    `A batch of what ${source.vendor} sent on **${date}** (UTC), into schema \`${source.schema}\`. It is complete as it is, ` +
    `and final once it is loaded; its bodies are ${kept}.`
  );
}

function whatJob(source: SourceConfig, delivery: Delivery): string {
  const from =
    delivery.exportJob === undefined
      ? `of **${delivery.date}**`
      : `that was asked for as \`${delivery.exportJob}\``;
  const discarded =
    'discardAfter' in source
      ? ` Without its manifests it is discarded ${writeDuration(source.discardAfter)} after its first file.`
      : '';
  return (
    `The job ${from} of ${source.vendor}'s export, into schema \`${source.schema}\`. It is loaded once everything that ` +
    `its manifests list is there.${discarded}`
  );
}

/** How long the upload of a job may take. */
function uploadOf(
  source: SourceConfig,
): Pick<DeliveryInput, 'discardAfter' | 'uploadGrace' | 'deleteDiscarded'> {
  if (!('discardAfter' in source)) return {};
  const { discardAfter, uploadGrace, deleteDiscarded } = source;
  return { discardAfter, uploadGrace, deleteDiscarded };
}

interface Closing {
  /** Epoch ms. */
  readonly closesAt: number;
  /** Milliseconds. */
  readonly settleFor: number;
}

/** When a vendor that rewrites its days no longer does. */
function closingOf(source: SourceConfig, type: string, date: string): Closing | undefined {
  const vendor: Vendor = vendors[source.vendor];
  const { deliveries } = vendor;
  const closesAfter = deliveries.are === 'days' ? deliveries.closeAfter(type) : undefined;
  if (closesAfter === undefined || !('settleFor' in source)) return undefined;
  return { closesAt: endOfDay(date) + (source.closesAfter ?? closesAfter), settleFor: source.settleFor };
}

function whenLoaded(
  source: SourceConfig,
  closing: Closing | undefined,
  deadline: number,
  now: number,
): string {
  if (closing === undefined) return onceMarked(source, deadline, now);
  return source.vendor === 'monetate' ? asFilesCome(closing) : whileRewritten(closing);
}

function asFilesCome({ closesAt, settleFor }: Closing): string {
  return (
    `Its files are loaded as they come, once they stand still between two looks. It is provisional until ` +
    `${writeMinute(closesAt + settleFor)}, and final when a look then brings nothing new and the next day's files up to ` +
    `${writeMinute(closesAt)} are loaded too.`
  );
}

function whileRewritten({ closesAt, settleFor }: Closing): string {
  return (
    `It is loaded as often as the vendor rewrites it, and is provisional until it has stood still for ` +
    `${writeDuration(settleFor)} after ${writeMinute(closesAt)}.`
  );
}

function onceMarked(source: SourceConfig, deadline: number, now: number): string {
  const until = writeMinute(deadline);
  return deadline > now
    ? `It is loaded once the vendor has marked it complete, which is awaited until ${until}, ` +
        `${writeDuration(source.giveUpAfter)} after the end of the day.`
    : `It is loaded if the vendor has marked it complete; waiting for that ended at ${until}.`;
}
