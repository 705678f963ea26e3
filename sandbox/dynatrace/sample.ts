/** The sample of `npm start`: a Dynatrace that sends the user sessions of a harbour's applications while people watch. */

import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

import { z } from 'zod';

import { realClock, type Clock } from '../megaphone/writes.js';
import { startDynatrace, taken, type Dynatrace } from './exporter.js';
import type { UserSession } from './session.js';
import { makeSessions } from './sessions.js';

const description = z.object({
  password: z.string(),
  /** When the first session ended, in epoch milliseconds. */
  from: z.number(),
  /** Of its steps, how many were done. */
  done: z.number(),
});
type Remembered = z.output<typeof description>;

export interface DynatraceSampleRequest {
  /** Remembers what was sent, so that a second start does not send it again. */
  readonly memory: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Milliseconds between its steps. Default 4,000: 12 s in all. */
  readonly pause?: number;
  readonly clock?: Clock;
}

export interface DynatraceSample {
  /** What the receiver has to let in: the same at every start. */
  readonly username: string;
  readonly password: string;
  /** All that are to land, each once. */
  readonly sessions: readonly UserSession[];
  /** Settles when everything is sent, or soon after a stop. Throws a sentence when something could not be delivered. */
  readonly send: (url: string) => Promise<void>;
  /** Breaks off what is being sent. */
  readonly stop: () => Promise<void>;
}

const username = 'dynatrace';
const hour = 3_600_000;

/**
 * Four steps: two bulks; then one in which sessions come once more, as from an endpoint of another management zone; then
 * the manual check, whose document is no user session.
 */
export async function sampleDynatrace(request: DynatraceSampleRequest): Promise<DynatraceSample> {
  const { clock = realClock, pause = 4_000 } = request;
  const memory = `${request.memory}.dynatrace.json`;
  const remembered = await recall(memory, request.now);
  const { password, from } = remembered;
  const sessions = makeSessions({ sessions: 360, from });
  const stopped = new AbortController();
  const started: Dynatrace[] = [];

  const send = async (url: string): Promise<void> => {
    const dynatrace = startDynatrace({ endpoints: [{ url, auth: { username, password } }], clock });
    started.push(dynatrace);
    const bulk = async (...ended: readonly UserSession[]): Promise<string> => {
      dynatrace.end(...ended);
      await dynatrace.flush();
      return dynatrace.alerts[0]?.message ?? taken;
    };
    const steps = [
      () => bulk(...sessions.slice(0, 150)),
      () => bulk(...sessions.slice(150, 300)),
      () => bulk(...sessions.slice(280)),
      () => dynatrace.check(),
    ];
    for (const [index, step] of steps.entries()) {
      if (index < remembered.done) continue;
      if (index > 0) await clock.sleep(pause, stopped.signal).catch(() => undefined);
      if (stopped.signal.aborted) return;
      const message = await step();
      if (stopped.signal.aborted) return;
      if (message !== taken) {
        throw new Error(`The sandbox's Dynatrace could not deliver to ${url}: ${message}.`);
      }
      remembered.done = index + 1;
      await keep(memory, remembered);
    }
  };
  const stop = async (): Promise<void> => {
    stopped.abort();
    await Promise.all(started.map((dynatrace) => dynatrace.stop()));
  };
  return { username, password, sessions, send, stop };
}

async function recall(memory: string, now: number): Promise<Remembered> {
  const earlier = await readFile(memory, 'utf8').catch(() => undefined);
  if (earlier !== undefined) return description.parse(JSON.parse(earlier));
  return { password: randomBytes(32).toString('hex'), from: now - hour, done: 0 };
}

/** Exchanged as a whole: a start that was killed meanwhile leaves a memory that the next can read. */
async function keep(memory: string, remembered: Remembered): Promise<void> {
  await writeFile(`${memory}.new`, JSON.stringify(remembered), { mode: 0o600 });
  await rename(`${memory}.new`, memory);
}
