import assert from 'node:assert/strict';

import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import type { AskExportStep, ExportProgress } from '../../activities/leanplum-export.js';
import type { Whereabouts } from '../../activities/backfill.js';
import { deliveryStart } from '../../config/delivery-start.js';
import { nameJob } from '../../config/name-delivery.js';
import type { DeliveryResult } from '../../model/control.js';
import { exportId, type ExportInput, type ExportResult, type ExportStatus } from '../../model/export.js';
import { failureTypes, type FailureType } from '../../model/failure.js';
import { eventually } from '../support/eventually.js';
import { sourceOf, workflowBundle } from '../support/landfall.js';
import { devServer, timeSkipping } from '../support/temporal.js';
import { job, manifest, shard, sight } from '../vendors/leanplum/case.js';
import { fakeLandfall, gate, type FakeLandfall } from './fake-landfall.js';
import { forgetfulServer } from './forgetful-server.js';
import { currentDetails, resultOf, runsOf, terminateAll } from './observe.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const exportJob = 'export_4727756026281984_2904941266315269120';

type Workflow = (input: ExportInput) => Promise<ExportResult>;
type Export = WorkflowHandle<Workflow>;

describe('the workflow of an export', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;
  let exports = 0;
  /** What the fake Leanplum is asked, and says. */
  let asked: AskExportStep[];
  let ask: (step: AskExportStep, call: number) => Promise<string | undefined> | string | undefined;
  let polled: number[];
  let tell: (call: number, now: number) => Promise<ExportProgress> | ExportProgress;
  let atRest: () => Whereabouts;

  const use = (server: TestWorkflowEnvironment): void => {
    environment = server;
    landfall = fakeLandfall(() => environment);
    landfall.batches = 1;
    landfall.sight = () => sight(shard(0), manifest([0]));
    [asked, polled] = [[], []];
    ask = () => exportJob;
    tell = () => finished();
    atRest = () => ({ settled: [], waiting: [] });
  };

  const source = (): string => `asked-${process.pid}-${exports}`;
  const config = () =>
    sourceOf(
      JSON.stringify({ sources: { [source()]: { vendor: 'leanplum', store: { type: 's3', bucket: 'b' } } } }),
    );
  const deliveryId = (): string => `${source()}/${job}`;
  const under = (state: string): ExportProgress => ({ state, finished: false });
  const finished = (copied = false): ExportProgress => {
    const delivery = nameJob(config(), 'sessions', '2026-11-20', job);
    const start = deliveryStart(config(), copied ? delivery : { ...delivery, exportJob }, Date.now());
    return {
      ...{ state: 'FINISHED', finished: true, counts: { files: 1, sessions: 101, bytes: 36_590 } },
      start: { ...start, input: { ...start.input, deadline: Date.now() + 60 * 24 * hour } },
    };
  };
  const fault = (type: FailureType | 'WorkerShutdown', message: string, nonRetryable = true) =>
    ApplicationFailure.create({ type, message, nonRetryable });

  const worker = async (): Promise<Worker> =>
    Worker.create({
      connection: environment.nativeConnection,
      taskQueue: source(),
      workflowBundle: await workflowBundle(),
      activities: {
        ...landfall.activities,
        askExport: async (step: AskExportStep) => {
          asked.push(step);
          const answer = await ask(step, asked.length);
          return { date: '2026-11-20', ...(answer === undefined ? {} : { exportJob: answer }) };
        },
        exportProgress: async () => {
          const now = await environment.currentTimeMs();
          polled.push(now);
          return tell(polled.length, now);
        },
        settledDeliveries: () => Promise.resolve(atRest()),
      },
    });

  const start = async (changes: Partial<ExportInput> = {}): Promise<Export> => {
    exports += 1;
    const days = { source: source(), from: '2026-11-10', to: '2026-11-12', format: 'json' } as const;
    return environment.client.workflow.start<Workflow>('leanplumExport', {
      taskQueue: source(),
      workflowId: exportId(days),
      args: [{ ...days, ...changes }],
      workflowExecutionTimeout: '60 days',
    });
  };

  /** Starts an export, lets the test act on it, and gives its result. */
  async function run(
    act: (handle: Export) => Promise<void> = () => Promise.resolve(),
    changes: Partial<ExportInput> = {},
    afterwards: (handle: Export) => Promise<void> = () => Promise.resolve(),
  ): Promise<ExportResult> {
    const handle = await start(changes);
    return (await worker()).runUntil(async () => {
      try {
        await act(handle);
      } catch (error) {
        await handle.terminate('the test failed').catch(() => undefined);
        throw error;
      }
      const result = await handle.result();
      await afterwards(handle);
      return result;
    });
  }
  const status = (handle: Export): Promise<ExportStatus> => handle.query<ExportStatus>('status');
  const failsAs =
    (type: string, ...parts: readonly (string | RegExp)[]) =>
    (error: unknown): true => {
      assert.ok(error instanceof WorkflowFailedError, String(error));
      const { cause } = error;
      assert.ok(cause instanceof ApplicationFailure);
      assert.equal(cause.type, type);
      for (const part of parts) assert.match(cause.message, new RegExp(part));
      return true;
    };

  describe('on a clock that skips what nobody waits for', () => {
    // A server each: one whose activity was cancelled while it ran never moves its clock again.
    beforeEach(async () => use(await timeSkipping()));
    afterEach(() => environment.teardown());

    it('asks once, waits until it is finished, and ends with what its delivery has come to', async () => {
      tell = (call) => (call === 1 ? under('PENDING') : call < 4 ? under('RUNNING') : finished());
      let handle: Export | undefined;
      let shown: ExportStatus | undefined;
      const result = await run(undefined, {}, async (ended) => {
        handle = ended;
        shown = await status(ended);
      });
      const delivery = result.delivery;
      assert.equal(delivery?.finality, 'final');
      assert.equal(delivery.delivery, deliveryId());
      assert.deepEqual(
        { exportJob: result.exportJob, counts: result.counts },
        { exportJob, counts: { files: 1, sessions: 101, bytes: 36_590 } },
      );
      assert.match(
        result.reason,
        new RegExp(
          `^Leanplum exported 101 sessions in 1 file \\(36\\.6 kB\\) as ${exportJob}\\. Its delivery .* is final: `,
        ),
      );
      assert.equal(asked.length, 1);
      const { from, to, format, now } = asked[0]!;
      assert.deepEqual({ from, to, format }, { from: '2026-11-10', to: '2026-11-12', format: 'json' });
      assert.ok(Math.abs(now - polled[0]!) < 5 * second, 'the clock of the workflow is handed on');
      assert.equal(polled.length, 4);
      assert.deepEqual(
        landfall.calls.filter((call) => call !== 'look'),
        ['plan', 'stage 0', 'publish'],
      );
      const child = environment.client.workflow.getHandle(deliveryId());
      const { raw } = await child.describe();
      assert.equal(raw.workflowExecutionInfo?.parentExecution?.workflowId, handle?.workflowId);
      assert.deepEqual(shown, {
        ...{ source: source(), from: '2026-11-10', to: '2026-11-12', format: 'json', state: 'FINISHED' },
        ...{ exportJob, counts: result.counts, delivery: deliveryId() },
        next: 'Nothing: its delivery is final.',
      });
    });

    it('asks after 10 seconds at first and never more than 5 minutes apart; on the page it says when', async () => {
      tell = (_, now) => (now - asked[0]!.now < 2 * hour ? under('RUNNING') : finished());
      let page = '';
      let shown: ExportStatus | undefined;
      await run(async (handle) => {
        await eventually(async () => (await status(handle)).state === 'RUNNING', { timeoutMs: 10_000 });
        page = await currentDetails(handle);
        shown = await status(handle);
      });
      const pauses = polled.slice(1).map((now, i) => (now - polled[i]!) / second);
      assert.ok(pauses[0]! >= 10 && pauses[0]! < 15, `${pauses[0]}`);
      assert.ok(Math.max(...pauses) < 5.2 * 60, `${Math.max(...pauses)}`);
      assert.ok(pauses.length > 30 && pauses.length < 50, `${pauses.length}`);
      assert.match(page, /\| State \| RUNNING \|/);
      assert.match(page, /\| Days \| 2026-11-10 to 2026-11-12 \(Pacific\), as json \|/);
      assert.match(page, new RegExp(`\\| Export \\| ${exportJob} \\|`));
      assert.match(
        page,
        /\| Next \| Leanplum works on it; it is asked again at \d{4}-\d\d-\d\d \d\d:\d\dZ\. \|/,
      );
      assert.equal(shown?.exportJob, exportJob);
    });

    it('fails with a sentence when Leanplum could not complete it', async () => {
      tell = (call) => under(call < 3 ? 'RUNNING' : 'FAILED');
      await assert.rejects(
        run(),
        failsAs(
          'ExportFailed',
          `^Leanplum could not complete the export ${exportJob} of 2026-11-10 to 2026-11-12; its state is FAILED`,
          'Nothing was loaded\\. Ask for it anew.* 24 exports a day\\.$',
        ),
      );
      assert.equal(landfall.calls.length, 0);
    });

    it('is not waited for longer than results are kept, in one history', async () => {
      tell = () => under('PENDING');
      let handle: Export | undefined;
      await assert.rejects(
        run((started) => Promise.resolve(void (handle = started))),
        failsAs('ExportFailed', 'is PENDING still, 24 hours after it was asked for\\.', 'Ask for it anew'),
      );
      const waited = polled.at(-1)! - asked[0]!.now;
      assert.ok(waited >= 24 * hour - second && waited < 24.2 * hour, `${waited / hour} hours`);
      const events = (await handle!.fetchHistory()).events ?? [];
      assert.ok(events.length < 4_000, `${events.length} events`);
    });

    it('ends without a delivery where nothing matches', async () => {
      ask = () => undefined;
      assert.deepEqual(await run(), {
        reason: 'Leanplum has no sessions of 2026-11-10 to 2026-11-12 to export. Nothing was loaded.',
      });
      assert.equal(polled.length, 0);
    });

    it('ends without a delivery where it brought nothing', async () => {
      tell = () => ({ state: 'FINISHED', finished: true, counts: { files: 0, sessions: 0 } });
      const result = await run(undefined, { to: '2026-11-10' });
      assert.equal(result.delivery, undefined);
      assert.equal(
        result.reason,
        `Leanplum finished the export ${exportJob} of 2026-11-10, and it has no files: there are no sessions.`,
      );
    });

    it('asks again as long as Leanplum was certainly not reached', async () => {
      ask = (_, call) => {
        if (call < 4) throw fault(failureTypes.storeUnavailable, 'connect ECONNREFUSED.', false);
        return exportJob;
      };
      assert.equal((await run()).delivery?.finality, 'final');
      assert.equal(asked.length, 4);
      assert.ok(asked[3]!.now - asked[0]!.now >= 7 * second, 'after 1, 2 and 4 seconds');
    });

    for (const [what, type, message] of [
      ['was refused', failureTypes.exportFailed, 'You may only export data 24 times per day.'],
      ['has wrong keys', failureTypes.accessDenied, 'Check api.appId.'],
      [
        'may have arrived, and had no answer',
        failureTypes.exportFailed,
        'Whether Leanplum took it nobody can tell.',
      ],
    ] as const) {
      it(`does not repeat a call that ${what}`, async () => {
        ask = () => {
          throw fault(type, message);
        };
        await assert.rejects(run(), failsAs(type, message));
        assert.equal(asked.length, 1);
      });
    }

    it('does not repeat a call whose worker gave no answer', async () => {
      ask = () => {
        throw fault('WorkerShutdown', 'Worker is shutting down', false);
      };
      await assert.rejects(
        run(),
        failsAs(
          'ExportFailed',
          '^The worker that asked Leanplum for an export of 2026-11-10 to 2026-11-12 gave no answer',
          'not repeated by itself\\. Ask for the export anew\\.$',
        ),
      );
      assert.equal(asked.length, 1);
    });

    it('lives with an API that is broken for hours', async () => {
      tell = (_, now) => {
        if (now - asked[0]!.now < 3 * hour) throw fault(failureTypes.storeUnavailable, 'status 503.', false);
        return finished();
      };
      assert.equal((await run()).delivery?.finality, 'final');
    });

    it('fails when nobody could say what became of it', async () => {
      tell = () => {
        throw fault(failureTypes.storeUnavailable, 'Asking failed: status 503. It is retried.', false);
      };
      await assert.rejects(
        run(),
        failsAs(
          'ExportFailed',
          `^What became of the export ${exportJob} was not to be learned for 24 hours`,
          'Asking failed: status 503\\. Ask for the export anew\\.$',
        ),
      );
    });

    it('fails when Leanplum no longer knows it', async () => {
      tell = () => {
        throw fault(
          failureTypes.exportExpired,
          'Leanplum keeps results for 24 hours; ask for the export anew.',
        );
      };
      await assert.rejects(run(), failsAs('ExportExpired', 'keeps results for 24 hours'));
    });

    it('ends with a failed delivery as a result: files that are gone, say', async () => {
      landfall.during.look = () => {
        throw fault(failureTypes.exportExpired, 'Its files are no longer there; ask for the export anew.');
      };
      const result = await run();
      assert.equal(result.delivery?.finality, 'failed');
      assert.match(result.reason, /is failed: Its files are no longer there; ask for the export anew\.$/);
    });

    it('hears from a delivery that runs already: the schedule found the copies first', async () => {
      const closed = gate();
      landfall.during.stage = () => closed.passed;
      const reached = gate();
      tell = async () => {
        const { start: begin } = finished(true) as Extract<ExportProgress, { finished: true }>;
        await environment.client.workflow
          .start('leanplum', {
            ...{ taskQueue: source(), workflowId: deliveryId(), args: [begin!.input] },
            workflowExecutionTimeout: '60 days',
          })
          .catch(() => undefined);
        reached.open();
        return finished(true);
      };
      const result = await run(async (handle) => {
        await reached.passed;
        await eventually(async () => (await status(handle)).delivery === deliveryId(), { timeoutMs: 10_000 });
        await eventually(() => landfall.calls.includes('stage 0'), { timeoutMs: 10_000 });
        closed.open();
      });
      assert.equal(result.delivery?.finality, 'final');
      assert.equal(landfall.calls.filter((call) => call === 'publish').length, 1);
    });

    it('ends as cancelled while it waits, and says what Leanplum goes on with', async () => {
      tell = () => under('RUNNING');
      let page = '';
      const handle = await start();
      await (
        await worker()
      ).runUntil(async () => {
        await eventually(async () => (await status(handle)).state === 'RUNNING', { timeoutMs: 10_000 });
        await handle.cancel();
        await assert.rejects(handle.result(), WorkflowFailedError);
        page = await currentDetails(handle);
      });
      assert.equal((await handle.describe()).status.name, 'CANCELLED');
      assert.match(
        page,
        new RegExp(`cancelled\\. Leanplum goes on with ${exportJob}, whose results nobody loads`),
      );
    });
  });

  describe('on a server of everyday', () => {
    beforeEach(async () => use((await devServer()).environment));
    afterEach(() => terminateAll(environment.client, source()));

    it('asks what became of a delivery that ended without a word', async () => {
      // A delivery that waits.
      landfall.sight = () => sight(shard(0, 'json', { modified: Date.now() }));
      const told: DeliveryResult = { delivery: '', finality: 'failed', reason: 'Its workflow ended.' };
      const result = await run(
        async (handle) => {
          await eventually(async () => (await status(handle)).delivery === deliveryId(), {
            timeoutMs: 10_000,
          });
          const delivery = environment.client.workflow.getHandle(deliveryId());
          await eventually(() => landfall.calls.includes('look'), { timeoutMs: 10_000 });
          await delivery.terminate('the test says so');
          atRest = () => ({ settled: [{ ...told, delivery: deliveryId() }], waiting: [] });
        },
        { askEvery: 500 },
      );
      assert.deepEqual(result.delivery, { ...told, delivery: deliveryId() });
    });

    it('leaves its delivery alone when it is cancelled', async () => {
      landfall.sight = () => sight(shard(0, 'json', { modified: Date.now() }));
      const handle = await start();
      await (
        await worker()
      ).runUntil(async () => {
        await eventually(async () => (await status(handle)).delivery === deliveryId(), { timeoutMs: 10_000 });
        await eventually(() => landfall.calls.includes('look'), { timeoutMs: 10_000 });
        await handle.cancel();
        await assert.rejects(handle.result(), WorkflowFailedError);
        assert.match((await status(handle)).next, /its delivery .* goes on\.$/i);
        const delivery = environment.client.workflow.getHandle(deliveryId());
        assert.equal((await delivery.describe()).status.name, 'RUNNING');
        await delivery.terminate('the test is over');
      });
    });

    it('goes on with another worker', async () => {
      tell = (call) => under(call > 0 ? 'RUNNING' : '');
      const handle = await start();
      await (
        await worker()
      ).runUntil(async () => {
        await eventually(async () => (await status(handle)).state === 'RUNNING', { timeoutMs: 10_000 });
      });
      tell = () => finished();
      const result = await (await worker()).runUntil(() => resultOf(handle));
      assert.equal(result.delivery?.finality, 'final');
      assert.equal(asked.length, 1);
    });

    it('goes on in a new run when its history grows long, and neither asks nor starts anything again', async () => {
      use((await forgetfulServer()).environment);
      const closed = gate();
      landfall.during.stage = () => closed.passed;
      const handle = await start({ askEvery: 200 });
      const result = await (
        await worker()
      ).runUntil(async () => {
        await eventually(async () => (await runsOf(environment.client, handle.workflowId)).length > 1, {
          timeoutMs: 60_000,
        });
        assert.equal((await status(handle)).delivery, deliveryId());
        closed.open();
        return resultOf<Workflow>(environment.client.workflow.getHandle<Workflow>(handle.workflowId));
      });
      assert.equal(result.delivery?.finality, 'final');
      assert.equal(asked.length, 1);
      assert.deepEqual(
        landfall.calls.filter((call) => call === 'publish'),
        ['publish'],
      );
    });
  });
});
