import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { freePort } from '../../sandbox/ports.js';
import { dynatraceSource, dynatraceToken, session, type DynatraceSource } from '../support/dynatrace.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { inTemporaryFolder } from '../support/landfall.js';
import { runLandfall } from '../support/landfall-process.js';
import { ownDatabase, type OwnDatabase } from '../support/own-postgres.js';
import { randomNumbers } from '../support/random.js';
import { devServer } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';
import { terminateAll } from '../workflows/observe.js';

const sessionsOfBody = 20;
/** Endpoints that send, each one body after the other. */
const senders = 3;
const kills = 9;

type Part = 'receiver' | 'worker' | 'Postgres';

describe('what Dynatrace sends while receiver, worker and Postgres are killed', function () {
  this.timeout(240_000);
  let database: OwnDatabase;
  let source: DynatraceSource;

  beforeEach(async () => {
    database = await ownDatabase();
    const settings = { gatherWithin: '300 ms', heartbeatTimeout: '1 second' };
    source = await dynatraceSource(settings, { database });
  });
  afterEach(async () => {
    await terminateAll((await devServer()).environment.client, source.taskQueue);
    await source.drop();
  });

  it(`${kills} times at random instants: every session that was answered with 200 is there, and none twice`, async () => {
    const seed = Number(process.env['LANDFALL_TEST_SEED'] ?? Date.now() % 1_000_000);
    console.log(`      LANDFALL_TEST_SEED=${seed}`);
    const random = randomNumbers(seed);
    await inTemporaryFolder(async (folder) => {
      const receiver = await startReceivers(source, folder);
      const worker = await startWorkers(source, folder);
      const kill: Readonly<Record<Part, () => Promise<void>>> = {
        receiver: receiver.killAndStart,
        worker: worker.killAndStart,
        Postgres: () => crash(database),
      };
      const parts = Object.keys(kill) as Part[];
      const sending = keepSending(receiver.url, random);
      try {
        for (let killed = 0; killed < kills; killed += 1) {
          await setTimeout(200 + random() * 800);
          // Each in its turn, and others beside it at times: they may fall together.
          const chosen = parts.filter((_, index) => index === killed % parts.length || random() < 0.3);
          await Promise.all(chosen.map((part) => kill[part]()));
          const before = sending.acknowledged.size;
          await eventually(() => sending.acknowledged.size > before, {
            timeoutMs: 60_000,
            what: `a body that is taken after the end of ${chosen.join(' and ')}`,
          });
        }
        await sending.stop();
        await everythingLanded(source);
      } finally {
        await sending.stop();
        await receiver.kill();
        await worker.kill();
      }
      await check(source, sending);
    });
  });
});

/** A receiver as a process of its own, another one at the same port after each that was killed. */
async function startReceivers(source: DynatraceSource, folder: string) {
  const port = await freePort();
  const config = join(folder, 'landfall.yaml');
  const { sources } = JSON.parse(source.configText) as { sources: object };
  const settings = {
    postgres: { url: source.database.url },
    temporal: { taskQueue: source.taskQueue },
    receiver: { port },
    sources,
  };
  await writeFile(config, JSON.stringify(settings));
  const { address } = await devServer();
  const start = () =>
    runLandfall(['receiver', '--config', config], { cwd: folder, env: { TEMPORAL_ADDRESS: address } });
  const url = `http://127.0.0.1:${port}`;
  const [name] = Object.keys(sources);
  let running = start();
  const kill = async (): Promise<void> => {
    running.child.kill('SIGKILL');
    await running.ended;
  };
  await eventually(() => fetch(`${url}/health`).then(({ ok }) => ok), { timeoutMs: 30_000 });
  return {
    url: `${url}/dynatrace/${name}`,
    kill,
    killAndStart: async (): Promise<void> => {
      await kill();
      running = start();
    },
  };
}

/** The next worker stands ready when one is killed. */
async function startWorkers(source: DynatraceSource, folder: string) {
  const start = () => startWorkerProcess(source, folder, { files: 2, bytes: 1e9 });
  let worker = await start();
  let next = start();
  await worker.work();
  return {
    kill: async (): Promise<void> => {
      await worker.kill();
      await (await next).kill();
    },
    killAndStart: async (): Promise<void> => {
      await worker.kill();
      worker = await next;
      next = start();
      await worker.work();
    },
  };
}

async function crash({ server }: OwnDatabase): Promise<void> {
  process.kill(server.pid, 'SIGKILL');
  // Its sessions notice a little later, and until then nothing else may have their memory.
  await eventually(() => server.restart('immediate').then(() => true), { timeoutMs: 30_000, everyMs: 100 });
}

interface Sending {
  /** Numbers of sessions. */
  readonly acknowledged: ReadonlySet<number>;
  readonly sent: () => number;
  readonly stop: () => Promise<void>;
}

/** Sends bodies in both forms; one that is not answered with 200 is sent again, and at times one that was. */
function keepSending(url: string, random: () => number): Sending {
  const acknowledged = new Set<number>();
  let stopped = false;
  let bodies = 0;

  const sendBody = async (endpoint: number): Promise<void> => {
    const first = bodies++ * sessionsOfBody;
    const numbers = Array.from({ length: sessionsOfBody }, (_, index) => first + index);
    const bulk = random() < 0.5;
    const lines = numbers.flatMap((number) => [
      ...(bulk ? [`{"index":{"_index":"sessions","_id":"${number}"}}`] : []),
      session(number, { userActions: [{ name: 'first' }, { name: 'second' }], endpoint }),
    ]);
    let again = random() < 0.2;
    for (;;) {
      if (await isTaken(bulk ? `${url}/_bulk` : url, lines.join('\n'))) {
        for (const number of numbers) acknowledged.add(number);
        if (!again) return;
        again = false;
      } else if (stopped) {
        return;
      } else {
        await setTimeout(100);
      }
    }
  };
  const endpoints = Array.from({ length: senders }, async (_, endpoint) => {
    while (!stopped) await sendBody(endpoint);
  });
  return {
    acknowledged,
    sent: () => bodies * sessionsOfBody,
    stop: async () => {
      stopped = true;
      await Promise.all(endpoints);
    },
  };
}

async function isTaken(url: string, body: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'PUT',
      headers: { authorization: `Bearer ${dynatraceToken}` },
      body,
      signal: AbortSignal.timeout(10_000),
    });
    await response.arrayBuffer();
    assert.ok(response.status === 200 || response.status === 503, `answered with ${response.status}`);
    return response.status === 200;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return false;
  }
}

async function everythingLanded(source: DynatraceSource): Promise<void> {
  await eventually(
    async () => {
      const [row] = await source.rows(
        `select count(*) = 0 as landed from landfall.inbox i left join landfall.delivery d on d.id = i.delivery_id
         where d.finality is distinct from 'final'`,
      );
      return row?.['landed'];
    },
    { timeoutMs: 120_000, everyMs: 200, what: 'everything to land' },
  );
}

async function check(source: DynatraceSource, { acknowledged, sent }: Sending): Promise<void> {
  const rows = await source.rows(`select user_session_id as id from experiments.user_session`);
  const landed = rows.map(({ id }) => Number(String(id).replace('SESSION-', '')));
  const once = new Set(landed);
  assert.equal(once.size, landed.length, 'none is there twice');
  assert.deepEqual(
    [...acknowledged].filter((number) => !once.has(number)),
    [],
    'none that was acknowledged is lost',
  );
  const [actions] = await source.rows('select count(*)::integer as count from experiments.user_action');
  assert.equal(actions?.['count'], 2 * once.size, 'nor any of its actions');
  assert.ok(once.size <= sent());
  console.log(`      ${acknowledged.size} sessions acknowledged, ${once.size} landed`);
  await assertConsistent(source.database.pool);
}
