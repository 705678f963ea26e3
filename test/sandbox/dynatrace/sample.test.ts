import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { checkDocument } from '../../../sandbox/dynatrace/bodies.js';
import { sampleDynatrace, type DynatraceSample } from '../../../sandbox/dynatrace/sample.js';
import { sessionKey, type UserSession } from '../../../sandbox/dynatrace/session.js';
import type { Clock } from '../../../sandbox/megaphone/writes.js';
import { eventually } from '../../support/eventually.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { listeningServer, type Answer, type ListeningServer } from '../../support/listening-server.js';
import { manualClock } from './manual-clock.js';

const now = Date.parse('2026-11-20T10:00:00Z');

interface Place {
  readonly memory: string;
  readonly server: ListeningServer;
  readonly start: (clock?: Clock) => Promise<DynatraceSample>;
}

async function inPlace(answer: Answer | undefined, body: (place: Place) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (folder) => {
    const memory = join(folder, 'sample');
    const server = await listeningServer(answer);
    const started: DynatraceSample[] = [];
    try {
      await body({
        ...{ memory, server },
        start: async (clock) => {
          const sample = await sampleDynatrace({ memory, now, pause: 1, ...(clock ? { clock } : {}) });
          started.push(sample);
          return sample;
        },
      });
    } finally {
      await Promise.all(started.map((sample) => sample.stop()));
      await server.stop();
    }
  });
}

const keysOf = (sessions: readonly UserSession[]): Set<string> => new Set(sessions.map(sessionKey));

describe('the sample of user sessions', () => {
  it('comes in four bodies: some sessions come twice, and one is no session', () =>
    inPlace(undefined, async ({ server, start, memory }) => {
      const sample = await start();
      await sample.send(`${server.url}/dynatrace/rum`);
      const bodies = server.heard.map(({ body }) => body.toString());
      assert.equal(bodies.length, 4);
      assert.equal(bodies.pop(), checkDocument);
      const sent = bodies.flatMap((body) => body.split('\n').map((line) => JSON.parse(line) as UserSession));
      assert.equal(sent.length, 380);
      assert.deepEqual(keysOf(sent), keysOf(sample.sessions));
      assert.equal(keysOf(sent).size, 360);
      assert.ok(sent.every(({ endTime }) => endTime < now));
      const pair = Buffer.from(`${sample.username}:${sample.password}`).toString('base64');
      assert.ok(server.heard.every(({ headers }) => headers.authorization === `Basic ${pair}`));
      assert.equal((await stat(`${memory}.dynatrace.json`)).mode & 0o077, 0, 'it has a password in it');
    }));

  it('is sent once, whenever it is started again', () =>
    inPlace(undefined, async ({ server, start }) => {
      const clock = manualClock();
      const first = await start(clock);
      const sending = first.send(server.url);
      await eventually(() => server.heard.length === 1 && clock.sleeping()[0] === 1);
      await first.stop();
      await sending;
      const second = await start();
      assert.deepEqual([second.password, second.sessions], [first.password, first.sessions]);
      await second.send(server.url);
      assert.equal(server.heard.length, 4, 'what was missing');
      await (await start()).send(server.url);
      assert.equal(server.heard.length, 4);
    }));

  it('says so when it is not let in', () =>
    inPlace(
      (response) => void response.writeHead(401).end(),
      async ({ server, start }) => {
        const eager: Clock = { now: () => 0, sleep: (ms, signal) => sleepUnless(signal, ms) };
        await assert.rejects(
          (await start(eager)).send(server.url),
          /^Error: The sandbox's Dynatrace could not deliver to http:\S+: Code: 401 - Message: Unauthorized\.$/,
        );
      },
    ));
});

/** Sleeps that matter here are a second at most. */
function sleepUnless(signal: AbortSignal, ms: number): Promise<void> {
  if (ms <= 1_000) return Promise.resolve();
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('woken up'))));
}
