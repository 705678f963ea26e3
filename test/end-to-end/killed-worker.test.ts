import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { makeJob } from '../../sandbox/leanplum/job.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { filesOfFolder, planFiles } from '../../sandbox/monetate/day.js';
import { deliver, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent, landed, type Landed } from '../support/landed.js';
import { inTemporaryFolder, testSource, type TestSource } from '../support/landfall.js';
import { leanplumSource } from '../support/leanplum.js';
import { megaphoneSource, rewrite } from '../support/megaphone.js';
import { daysAgo, putFiles, visitsSource } from '../support/monetate-day.js';
import { randomNumbers } from '../support/random.js';
import { devServer } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const date = '2026-03-01';
/** Monetate keeps files for 820 days. */
const visited = daysAgo(30);

interface Feed {
  /** A source to which the vendor has delivered, and the input of the delivery. */
  readonly open: () => Promise<Opened>;
  readonly merged?: boolean;
  readonly kills: number;
  readonly limits: { readonly files: number; readonly bytes: number };
}

interface Opened {
  readonly source: TestSource;
  readonly input: DeliveryInput;
  /** What comes while it is loaded, one after the other; it is not final before the last. */
  readonly comes?: readonly (() => Promise<void>)[];
}

const soon = { inFlight: 3, heartbeatTimeout: 1_000 };
const optimizelyFlaws = {
  ...{ nulCharacter: 9, outOfRange: 6, nullUuid: 3 },
  ...{ duplicatesWithin: 8, duplicatesAcross: 12 },
};
const feeds: Readonly<Record<string, Feed>> = {
  'an Optimizely day of many parts': {
    open: async () => {
      const source = await testSource();
      await deliver(source, { type: 'events', date, rows: 9_000, parts: 12, flaws: optimizelyFlaws });
      return { source, input: source.input('events', date, { ...soon, deadline: 0 }) };
    },
    ...{ kills: 6, limits: { files: 4, bytes: 1e9 } },
  },
  'a Megaphone day in one file': {
    open: async () => {
      const source = await megaphoneSource();
      await rewrite(source, {
        date,
        // Short, so that loads come to their end: a step that is killed over and over is retried ever later.
        rows: 6_000,
        flaws: { brokenUtf8: 5, untypedNumber: 20, duplicateId: 30, blankLine: 7 },
      });
      const closed = { deadline: 0, closesAt: 0, settleFor: 1 };
      return { source, input: source.input('metrics', date, { ...soon, ...closed }) };
    },
    ...{ kills: 6, limits: { files: 1, bytes: 1e9 } },
  },
  'a Leanplum job in JSON': leanplumJob('json'),
  'a Leanplum job in CSV': leanplumJob('csv'),
  'a Monetate day whose files come meanwhile': {
    open: monetateDay,
    ...{ merged: true, kills: 2, limits: { files: 8, bytes: 1e9 } },
  },
};

/** The night is no other delivery's: as long as there is a file of it, the day goes on. */
async function monetateDay(): Promise<Opened> {
  const source = await visitsSource();
  const files = planFiles([{ date: visited, sessions: 130 }], { filesPerInterval: 1 });
  const own = filesOfFolder(files, visited);
  const night = files.find(({ date: day }) => day !== visited);
  const third = Math.ceil(own.length / 3);
  const comes = (nth: number) => () => putFiles(source, own.slice(nth * third, (nth + 1) * third));
  await putFiles(source, [night!]);
  return {
    ...{ source, input: source.input('sessions', visited, { ...soon, deadline: Date.now() + 3_600_000 }) },
    comes: [comes(0), comes(1), comes(2), () => rm(source.pathOf(night!.key))],
  };
}

function leanplumJob(format: 'json' | 'csv'): Feed {
  return {
    open: async () => {
      const source = await leanplumSource();
      const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
      const sessions = makeSessions({ count: 1_200, until: Date.parse('2026-03-01T12:00:00Z') });
      await source.put(makeJob({ uuid, date, format, shards: format === 'json' ? 6 : 2, sessions }).files);
      return { source, input: source.job(uuid, date, soon) };
    },
    ...{ merged: true, kills: 4, limits: { files: 2, bytes: 1e9 } },
  };
}

for (const [what, feed] of Object.entries(feeds)) {
  describe(`a worker that is killed while it loads ${what}`, function () {
    this.timeout(240_000);
    let source: TestSource;
    let input: DeliveryInput;
    let comes: Opened['comes'];
    let undisturbed: Landed;

    before(async () => {
      ({ source, input, comes } = await feed.open());
      for (const come of comes ?? []) await come();
      await withWorker(source, async (client) => (await source.start(client, input)).result(), {
        batchLimits: feed.limits,
      });
      undisturbed = await landed(source.database.pool);
      await source.drop();
    });
    beforeEach(async () => {
      ({ source, input, comes } = await feed.open());
    });
    afterEach(() => source.drop());

    it(`${feed.kills} times at random instants, and followed by another: all is as if nothing had happened`, async () => {
      const seed = Number(process.env['LANDFALL_TEST_SEED'] ?? Date.now() % 1_000_000);
      console.log(`      LANDFALL_TEST_SEED=${seed}`);
      const random = randomNumbers(seed);
      const { client } = (await devServer()).environment;
      const reprocess = () =>
        client.workflow.signalWithStart(input.vendor, {
          workflowId: input.id,
          taskQueue: source.taskQueue,
          args: [input],
          signal: 'reprocess',
          signalArgs: [{ reason: 'not killed often enough' }],
        });
      await inTemporaryFolder(async (folder) => {
        const start = () => startWorkerProcess(source, folder, feed.limits);
        let worker = await start();
        let delivery: WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>> = await source.start(
          client,
          input,
        );
        const coming = [...(comes ?? [])];
        for (let killed = 0; killed < feed.kills; killed += 1) {
          const next = await start();
          await coming.shift()?.();
          await worker.work();
          // A load that comes to its end under way is followed by another.
          await eventually(
            async () => {
              const { raw, status } = await delivery.describe();
              if (status.name === 'FAILED') await delivery.result();
              if (status.name === 'COMPLETED') delivery = await reprocess();
              return raw.pendingActivities?.some((step) => isWorking(step, worker.pid));
            },
            { timeoutMs: 60_000, what: 'a step' },
          );
          // An instant, not a condition: whatever it does by then.
          await setTimeout(random() * 600);
          await worker.kill();
          worker = next;
        }
        await worker.work();
        for (const come of coming) await come();
        const result = await delivery.result();
        assert.equal(result.finality, 'final');
        const spools = (await readdir(folder)).filter((name) => !/^workflows-\d+\.js$/.test(name));
        assert.match(
          spools.join(),
          new RegExp(`^worker-${worker.pid}-[^,]+$`),
          'those of killed workers are gone',
        );
        await worker.kill();
      });
      assert.deepEqual(await landed(source.database.pool), undisturbed);
      await assertConsistent(source.database.pool);
    });
  });
}

/** Whether a step is in the hands of this process. */
function isWorking(step: temporal.api.workflow.v1.IPendingActivityInfo, pid: number): boolean {
  const { PENDING_ACTIVITY_STATE_STARTED: started } = temporal.api.enums.v1.PendingActivityState;
  return step.state === started && step.lastWorkerIdentity?.startsWith(`${pid}@`) === true;
}
