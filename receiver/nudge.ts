/** Tells the workflow of a source that bodies have come, and starts it where it does not run. */

import { setTimeout as delay } from 'node:timers/promises';

import { Client, Connection } from '@temporalio/client';
import type pino from 'pino';

import { inboxSignal } from '../config/inbox-start.js';
import type { SentSource } from '../config/schema.js';
import type { TemporalAccess } from '../config/temporal.js';
import { inboxWorkflow } from '../model/inbox.js';
import { coalesce, type Pace } from './coalesce.js';
import { reasonOf } from './reason.js';

export interface NudgeOptions {
  readonly temporal: TemporalAccess;
  readonly taskQueue: string;
  readonly sources: readonly SentSource[];
  readonly log: pino.Logger;
  /** Default: a signal a second and source, rarer while Temporal is away. */
  readonly pace?: Pace;
  /** Milliseconds for one signal. Default: five seconds. */
  readonly deadline?: number;
}

export interface Nudge {
  /**
   * Settles when Temporal was told, with what came in the same second; rejects when it could not be, and is tried again
   * by itself then. Meanwhile bodies wait in the inbox, where the source's schedule finds them, too.
   */
  readonly nudge: (source: string, bytes: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Milliseconds that signals under way have when the receiver stops. */
const lastWords = 1_000;

const usualPace: Pace = { every: 1_000, atMost: 30_000 };

/** Connects when there is something to tell, and again whenever the connection is lost. */
export function openNudge(options: NudgeOptions): Nudge {
  const { temporal, taskQueue, sources, log, pace = usualPace, deadline = 5_000 } = options;
  const connection = Connection.lazy(connectionOf(temporal));
  const client = new Client({ connection, namespace: temporal.namespace });
  const bySource = new Map(
    sources.map((source) => {
      const tell = toldOnce(source.name, log, (bytes) =>
        connection.withDeadline(Date.now() + deadline, () =>
          client.workflow.signalWithStart(inboxWorkflow, inboxSignal(source, taskQueue, { bytes })),
        ),
      );
      return [source.name, coalesce(tell, pace)] as const;
    }),
  );
  return {
    nudge: async (source, bytes) => bySource.get(source)?.add(bytes),
    close: async () => {
      const told = Promise.all([...bySource.values()].map((coalesced) => coalesced.close()));
      const close = (): Promise<void> => connection.close();
      // A call that connects heeds no deadline but its own, and a connection must not be closed under it.
      const heard = await Promise.race([told.then(() => true), delay(lastWords, false, { ref: false })]);
      if (heard) await close();
      else void told.then(close);
    },
  };
}

/** Logs the first of several failures in a row, and their end. */
function toldOnce(
  source: string,
  log: pino.Logger,
  tell: (bytes: number) => Promise<unknown>,
): (bytes: number) => Promise<void> {
  let failing = false;
  return async (bytes) => {
    try {
      await tell(bytes);
    } catch (error) {
      if (!failing)
        log.warn({ source, ...reasonOf(error) }, 'Temporal was not told of bodies: they wait in the inbox.');
      failing = true;
      throw error;
    }
    if (failing) log.info({ source }, 'Temporal was told of the bodies that waited.');
    failing = false;
  };
}

function connectionOf({ connectionOptions: { address, apiKey, tls, metadata } }: TemporalAccess) {
  return {
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}
