import { arrivedSignal, inboxId, inboxWorkflow, type Arrived, type InboxInput } from '../model/inbox.js';
import { sourceAttributes } from '../model/typed-attributes.js';
import { writeDuration } from './duration.js';
import type { SentSource } from './schema.js';

/** Everything that starts the workflow of a source's inbox. */
export interface InboxStart {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input: InboxInput;
  /** What the Web UI shows: one line, and Markdown. */
  readonly staticSummary: string;
  readonly staticDetails: string;
}

/** How the inbox of a source is begun, whoever has news of bodies: the receiver or the schedule. */
export function inboxStart({ name, vendor, schema, gatherBytes, gatherWithin }: SentSource): InboxStart {
  return {
    workflowType: inboxWorkflow,
    workflowId: inboxId(name),
    input: { source: name, vendor, gatherBytes, gatherWithin },
    staticSummary: `${name}: gather what ${vendor} sends`,
    staticDetails: [
      `Gathers what was received for **${name}** (${vendor}) into deliveries, for schema \`${schema}\`: ` +
        `${writeDuration(gatherWithin)} after it came, or once there are ${gatherBytes} bytes. Each delivery is a workflow of ` +
        `its own. It never ends by itself.`,
      'Signals, each with `{"reason": "…"}`: `pause` starts nothing new until `resume`. What comes meanwhile is kept.',
    ].join('\n\n'),
  };
}

/** Options of a signal-with-start that tells the inbox of bodies: one that runs is signalled, one that ended is started anew. */
export function inboxSignal(source: SentSource, taskQueue: string, arrived: Arrived) {
  const { workflowId, input, staticSummary, staticDetails } = inboxStart(source);
  return {
    ...{ workflowId, taskQueue, staticSummary, staticDetails },
    args: [input] as [InboxInput],
    signal: arrivedSignal,
    signalArgs: [arrived] as [Arrived],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: sourceAttributes(source.name, source.vendor),
  } as const;
}
