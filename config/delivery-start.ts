import type { DeliveryInput } from '../model/control.js';
import { deliveryId } from '../model/delivery.js';
import { endOfDay } from '../model/day.js';
import type { SourceConfig } from './schema.js';
import { writeDuration } from './duration.js';

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
export function deliveryStart(source: SourceConfig, type: string, date: string, now: number): DeliveryStart {
  const deadline = endOfDay(date) + source.giveUpAfter;
  const until = `${new Date(deadline).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return {
    workflowType: source.vendor,
    workflowId: deliveryId({ source: source.name, type, date }),
    input: {
      source: source.name,
      type,
      date,
      vendor: source.vendor,
      deadline,
      pollEvery: source.pollEvery,
      inFlight: source.filesInFlight,
      heartbeatTimeout: source.heartbeatTimeout,
    },
    staticSummary: `${source.name}: ${type} of ${date}`,
    // Short enough for the Web UI's box, which holds seven lines.
    staticDetails: [
      `What ${source.vendor} exported as **${type}** of **${date}** (UTC), into schema \`${source.schema}\`. ` +
        (deadline > now
          ? `It is loaded once the vendor has marked it complete, which is awaited until ${until}, ` +
            `${writeDuration(source.giveUpAfter)} after the end of the day.`
          : `It is loaded if the vendor has marked it complete; waiting for that ended at ${until}.`),
      'Signals, each with `{"reason": "…"}`: `reprocess` loads it again, `accept` loads it without its marker, ' +
        '`skip` stops waiting, `discard` takes its rows out, `pause` and `resume`.',
    ].join('\n\n'),
  };
}
