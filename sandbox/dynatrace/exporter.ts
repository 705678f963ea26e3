/** A Dynatrace that runs: it exports the user sessions that end, in bulk, to up to three endpoints. */

import { STATUS_CODES } from 'node:http';

import { realClock, type Clock } from '../megaphone/writes.js';
import { bodyOf, checkDocument } from './bodies.js';
import { sendBody, type Endpoint } from './request.js';
import { sessionLine, type UserSession } from './session.js';

/** An endpoint as its form describes it. */
export interface ExportTo extends Endpoint {
  /** 'Management zone': which sessions are sent. Default all. */
  readonly zone?: (session: UserSession) => boolean;
}

export interface DynatraceOptions {
  /** One to three. */
  readonly endpoints: readonly ExportTo[];
  /** Milliseconds between the tries of a bulk. The vendor's are not public. Default a second. */
  readonly tryAgainAfter?: number;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

/** A bulk that was answered with 200. */
export interface SentBulk {
  readonly url: string;
  readonly sessions: readonly UserSession[];
  /** How often it was sent. */
  readonly tries: number;
}

/** A bulk that was given up: its sessions are never sent again. */
export interface DroppedBulk {
  readonly url: string;
  readonly sessions: readonly UserSession[];
  /** `Request timeout`, `Code: 503 - Message: Service Unavailable` or the connection's error, of the last try. */
  readonly message: string;
}

export interface Dynatrace {
  readonly sent: readonly SentBulk[];
  /** What it alerts people of. */
  readonly alerts: readonly DroppedBulk[];
  /** Sessions have ended: they are sent with the next bulk. */
  readonly end: (...sessions: readonly UserSession[]) => void;
  /** Sends what waits without waiting for more; settles when every bulk is sent or dropped. */
  readonly flush: () => Promise<void>;
  /**
   * 'Test export' of an endpoint, by its place in the options: up to 50 sessions of the last seven days, at once and once.
   * Gives what the form shows, which is `taken` or what went wrong.
   */
  readonly testExport: (endpoint?: number) => Promise<string>;
  /** The page's manual check of an endpoint, with PUT. Gives the like. */
  readonly check: (endpoint?: number) => Promise<string>;
  /** Breaks off what is being sent; what waits is lost. Settles when nothing is under way any more. */
  readonly stop: () => Promise<void>;
}

/** What the form shows when a test was answered as it should be. */
export const taken = 'Code: 200 - Message: OK';

const mostSessions = 1_000;
const mostBytes = 896_000;
/** Milliseconds. */
const idleFor = 30_000;
const answersWithin = 30_000;
const tries = 4;
const testSessions = 50;
const testedFor = 7 * 86_400_000;

/** Throws RangeError for no endpoint, and for more than three. */
export function startDynatrace(options: DynatraceOptions): Dynatrace {
  const { endpoints, clock = realClock, tryAgainAfter = 1_000 } = options;
  if (endpoints.length < 1 || endpoints.length > 3) {
    throw new RangeError(`there are one to three endpoints, not ${endpoints.length}`);
  }
  const stopped = new AbortController();
  const sent: SentBulk[] = [];
  const alerts: DroppedBulk[] = [];
  const recent: { session: UserSession; at: number }[] = [];
  const sender: Sender = { clock, tryAgainAfter, signal: stopped.signal, sent, alerts };
  const queues = endpoints.map((endpoint) => openQueue(endpoint, sender));
  const endpointAt = (index: number): ExportTo => {
    const endpoint = endpoints[index];
    if (!endpoint) throw new RangeError(`there is no endpoint ${index}`);
    return endpoint;
  };
  return {
    sent,
    alerts,
    end: (...sessions) => {
      for (const session of sessions) {
        recent.push({ session, at: clock.now() });
        for (const queue of queues) queue.push(session);
      }
      recent.splice(0, recent.length - testSessions);
    },
    flush: async () => {
      await Promise.all(queues.map((queue) => queue.flush()));
    },
    testExport: async (index = 0) => {
      const endpoint = endpointAt(index);
      const sessions = recent.filter(({ at }) => at > clock.now() - testedFor).map(({ session }) => session);
      return messageOf(await trySending(endpoint, bodyOf(sessions, endpoint), sender));
    },
    check: async (index = 0) => {
      const { elasticsearch, ...endpoint } = endpointAt(index);
      const url = elasticsearch === undefined ? endpoint.url : endpoint.url.replace(/\/_bulk$/, '');
      return messageOf(await trySending({ ...endpoint, url, method: 'PUT' }, checkDocument, sender));
    },
    stop: async () => {
      stopped.abort();
      await Promise.all(queues.map((queue) => queue.idle()));
    },
  };
}

interface Sender {
  readonly clock: Clock;
  readonly tryAgainAfter: number;
  readonly signal: AbortSignal;
  readonly sent: SentBulk[];
  readonly alerts: DroppedBulk[];
}

interface Queue {
  push(session: UserSession): void;
  flush(): Promise<void>;
  /** Settles when nothing is under way. */
  idle(): Promise<void>;
}

/** What one endpoint is to get: a bulk after the other. */
function openQueue(endpoint: ExportTo, sender: Sender): Queue {
  const { clock, signal } = sender;
  let waiting: UserSession[] = [];
  let bytes = 0;
  let lastEnded = 0;
  let watching: Promise<void> | undefined;
  let sending = Promise.resolve();
  const send = (): void => {
    const sessions = waiting;
    [waiting, bytes] = [[], 0];
    if (sessions.length > 0) sending = sending.then(() => sendBulk(endpoint, sessions, sender));
  };
  /** Sends what waits when no session has ended for a while. */
  const watch = async (): Promise<void> => {
    while (waiting.length > 0 && !signal.aborted) {
      const left = lastEnded + idleFor - clock.now();
      if (left > 0) await clock.sleep(left, signal).catch(() => undefined);
      else send();
    }
    watching = undefined;
  };
  return {
    push: (session) => {
      if (endpoint.zone?.(session) === false) return;
      waiting.push(session);
      bytes += Buffer.byteLength(sessionLine(session)) + 1;
      lastEnded = clock.now();
      if (waiting.length >= mostSessions || bytes > mostBytes) send();
      else watching ??= watch();
    },
    flush: () => {
      send();
      return sending;
    },
    idle: async () => {
      await watching;
      await sending;
    },
  };
}

async function sendBulk(
  endpoint: ExportTo,
  sessions: readonly UserSession[],
  { sent, alerts, ...sender }: Sender,
): Promise<void> {
  const { url } = endpoint;
  const body = bodyOf(sessions, endpoint);
  for (let attempt = 1; !sender.signal.aborted; attempt += 1) {
    const answer = await trySending(endpoint, body, sender);
    if (sender.signal.aborted) return;
    if (answer === 200) {
      sent.push({ url, sessions, tries: attempt });
      return;
    }
    if (attempt === tries) {
      alerts.push({ url, sessions, message: messageOf(answer) });
      return;
    }
    await sender.clock.sleep(sender.tryAgainAfter, sender.signal).catch(() => undefined);
  }
}

/** The status, or why there is none. */
type Answer = number | { readonly failed: string };

async function trySending(
  endpoint: ExportTo,
  body: string,
  { clock, signal }: Pick<Sender, 'clock' | 'signal'>,
): Promise<Answer> {
  const answered = new AbortController();
  const late = new AbortController();
  const timer = clock
    .sleep(answersWithin, AbortSignal.any([signal, answered.signal]))
    .then(() => {
      if (!answered.signal.aborted) late.abort();
    })
    .catch(() => undefined);
  try {
    return await sendBody(endpoint, body, AbortSignal.any([signal, late.signal]));
  } catch (error) {
    return { failed: late.signal.aborted ? 'Request timeout' : (error as Error).message };
  } finally {
    answered.abort();
    await timer;
  }
}

function messageOf(answer: Answer): string {
  if (typeof answer !== 'number') return answer.failed;
  return `Code: ${answer} - Message: ${STATUS_CODES[answer] ?? ''}`;
}
