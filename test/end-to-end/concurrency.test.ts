import assert from 'node:assert/strict';

import { ApplicationFailure } from '@temporalio/common';

import { deliver } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { faultyS3, getOf } from '../support/faulty-s3.js';
import { assertConsistent, landed, type Landed } from '../support/landed.js';
import { inTemporaryFolder, testSource, type TestSource } from '../support/landfall.js';
import { withSteps } from '../support/steps.js';
import { devServer } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const date = '2026-03-01';
const flaws = { nulCharacter: 5, nullUuid: 3, duplicatesAcross: 6 };
const day = { type: 'events', date, rows: 2_000, parts: 8, folders: false, flaws } as const;
const one = { batchLimits: { files: 1, bytes: 1e9 } };
const past = { deadline: 0, inFlight: 3 };
const events = (kind: string): string =>
  `select count(*)::int as n from landfall.delivery_event where kind = '${kind}'`;

describe('the same delivery twice at once', function () {
  this.timeout(60_000);
  let source: TestSource;
  let calm: Landed;

  before(async () => {
    source = await testSource();
    await deliver(source, day);
    await withSteps(source, 'events', date, async (steps) => {
      const plan = await steps.plan('calm');
      await steps.stageAll(plan);
      await steps.publish(plan);
    });
    calm = await landed(source.database.pool);
    await source.drop();
  });
  beforeEach(async () => {
    source = await testSource();
    await deliver(source, day);
  });
  afterEach(() => source.drop());

  const assertCalm = async (): Promise<void> => {
    assert.deepEqual(await landed(source.database.pool), calm);
    assert.deepEqual(await source.rows(`select state from landfall.load where state = 'published'`), [
      { state: 'published' },
    ]);
    await assertConsistent(source.database.pool);
  };

  describe('by workers', () => {
    it('two clients start it at once: it runs once, whichever worker has its steps', async () => {
      const { client } = (await devServer()).environment;
      const start = () =>
        client.workflow.start('optimizely', {
          workflowId: `${source.config.name}/events/${date}`,
          taskQueue: source.taskQueue,
          args: [source.input('events', date, past)],
          workflowIdConflictPolicy: 'USE_EXISTING',
        });
      await inTemporaryFolder(async (folder) => {
        const workers = [1, 2].map(() => startWorkerProcess(source, folder, one.batchLimits));
        for (const worker of workers) await (await worker).work();
        const [first, second] = await Promise.all([start(), start()]);
        assert.equal(first.firstExecutionRunId, second.firstExecutionRunId);
        await Promise.all([first.result(), second.result()]);
        for (const worker of workers) await (await worker).kill();
      });
      await assertCalm();
      assert.deepEqual(await source.rows('select count(*)::int as n from landfall.load'), [{ n: 1 }]);
    });

    for (const round of [1, 2]) {
      it(`two executions that know nothing of each other: the rows are there once, and neither fails (${round})`, async () => {
        const { client, nativeConnection } = (await devServer()).environment;
        const run = async (name: string): Promise<string> => {
          const taskQueue = `${source.taskQueue}-${name}`;
          const { worker, close } = await source.worker(nativeConnection, { ...one, taskQueue });
          const result: unknown = await worker.runUntil(
            client.workflow.execute('optimizely', {
              workflowId: `${source.config.name}/events/${date}/${name}`,
              taskQueue,
              args: [source.input('events', date, past)],
            }),
          );
          await close();
          return (result as { finality: string }).finality;
        };
        assert.deepEqual(await Promise.all([run('a'), run('b')]), ['final', 'final']);
        await assertCalm();
      });
    }
  });

  describe('by steps', () => {
    it('planned by two: they load together', () =>
      withSteps(source, 'events', date, async (steps) => {
        const [a, b] = await Promise.all([steps.plan('a'), steps.plan('b')]);
        assert.equal(a.loadId, b.loadId);
        await Promise.all([steps.stageAll(a), steps.stageAll(b)]);
        await steps.publish(a);
        const again = await steps.plan('c');
        assert.deepEqual([again.loadId, again.published], [a.loadId, true]);
        await assertCalm();
      }));

    it('a step repeated while its first attempt still runs: its rows are there once', () =>
      withSteps(source, 'events', date, async (steps) => {
        const plan = await steps.plan('a');
        for (let batch = 0; batch < plan.batches; batch += 1) {
          await Promise.all([steps.stage(plan, batch), steps.stage(plan, batch), steps.stage(plan, batch)]);
        }
        await steps.publish(plan);
        await assertCalm();
      }));

    it('an attempt that comes back after the load was published: it ends, and changes nothing', async () => {
      const store = await faultyS3();
      const late = await testSource({ through: store.endpoint });
      const { parts } = await deliver(late, day);
      await withSteps(late, 'events', date, async (steps) => {
        const plan = await steps.plan('a');
        let release = (): void => undefined;
        const released = new Promise<void>((resolve) => (release = resolve));
        store.fail(getOf(parts[2]!.key), { kind: 'hold', until: () => released });
        const straggler = assert.rejects(steps.stage(plan, 2), { type: 'LoadSuperseded' });
        await eventually(() => store.count(getOf(parts[2]!.key)) > 0);
        await steps.stageAll(plan);
        await steps.publish(plan);
        release();
        await straggler;
      });
      assert.deepEqual(await landed(late.database.pool), calm);
      await assertConsistent(late.database.pool);
      await late.drop();
      await store.stop();
    });

    it('published by three: once, and all are told the same', () =>
      withSteps(source, 'events', date, async (steps) => {
        const plan = await steps.plan('a');
        await steps.stageAll(plan);
        const [a, b, c] = await Promise.all([steps.publish(plan), steps.publish(plan), steps.publish(plan)]);
        assert.deepEqual([b, c], [a, a]);
        assert.deepEqual(await steps.publish(plan), a, 'also long afterwards');
        assert.deepEqual(await source.rows(events('published')), [{ n: 1 }]);
        await assertCalm();
      }));

    it('rejected by two: once, and both are told why', () =>
      withSteps(source, 'events', date, async (steps) => {
        await deliver(source, { ...day, flaws: { nulCharacter: 100 } });
        const plan = await steps.plan('a');
        await steps.stageAll(plan);
        const told = await Promise.allSettled([steps.publish(plan), steps.publish(plan)]);
        const [a, b] = told.map((outcome) => outcome.status === 'rejected' && String(outcome.reason));
        assert.match(String(a), /100 of 2000 rows/);
        assert.equal(b, a);
        assert.deepEqual(await source.rows('select count(*)::int as n from landfall.quarantine'), [
          { n: 100 },
        ]);
        await assertConsistent(source.database.pool);
      }));

    for (const first of ['publish', 'discard']) {
      it(`published and discarded: discarded in the end, without a row (${first} begins)`, () =>
        withSteps(source, 'events', date, async (steps) => {
          const plan = await steps.plan('a');
          await steps.stageAll(plan);
          const begin = { publish: () => steps.publish(plan), discard: () => steps.discard('not wanted') };
          const early = first === 'publish' ? begin.publish() : begin.discard();
          const late = first === 'publish' ? begin.discard() : begin.publish();
          const outcomes = await Promise.allSettled([early, late]);
          const [published, discarded] = first === 'publish' ? outcomes : outcomes.reverse();
          assert.equal(discarded?.status, 'fulfilled');
          if (published?.status === 'rejected') assertSuperseded(published.reason);
          assert.deepEqual(await source.rows('select * from experiments.conversion'), []);
          assert.deepEqual(await source.rows('select finality from landfall.delivery'), [
            { finality: 'discarded' },
          ]);
          assert.deepEqual(await source.rows('select state from landfall.load'), [{ state: 'discarded' }]);
          await assertConsistent(source.database.pool);
        }));
    }

    it('reprocessed by two, who each want a load of their own: one is published, none is left over', () =>
      withSteps(source, 'events', date, async (steps) => {
        const first = await steps.plan('first');
        await steps.stageAll(first);
        await steps.publish(first);
        const once = async (request: string): Promise<unknown> => {
          const plan = await steps.plan(request, true);
          await steps.stageAll(plan);
          return steps.publish(plan);
        };
        const outcomes = await Promise.allSettled([once('a'), once('b')]);
        for (const outcome of outcomes) if (outcome.status === 'rejected') assertSuperseded(outcome.reason);
        assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
        await assertCalm();
      }));
  });
});

function assertSuperseded(reason: unknown): void {
  assert.ok(reason instanceof ApplicationFailure);
  assert.equal(reason.type, 'LoadSuperseded');
}
