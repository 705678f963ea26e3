import assert from 'node:assert/strict';

import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import type { NameIdsStep, NamePageDone, NamePageStep } from '../../activities/monetate-names.js';
import { failureTypes, type FailureType } from '../../model/failure.js';
import {
  namesStart,
  namesWorkflow,
  nothingNamed,
  type NameCounts,
  type NamesInput,
  type NamesResult,
  type NamesStatus,
} from '../../model/names.js';
import { workflowBundle } from '../support/landfall.js';
import { timeSkipping } from '../support/temporal.js';
import { gate } from './fake-landfall.js';
import { forgetfulServer } from './forgetful-server.js';
import { currentDetails, runsOf, terminateAll } from './observe.js';

const minute = 60_000;
const hour = 60 * minute;

type Workflow = (input: NamesInput) => Promise<NamesResult>;
type Names = WorkflowHandle<Workflow>;

describe('the workflow that names ids', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let sources = 0;
  /** Steps in order, as `variant`, `variant page=2`, `variant ids`, and when they were asked for. */
  let asked: string[];
  let times: number[];
  let read: (step: NamePageStep, call: number) => Promise<NamePageDone> | NamePageDone;
  let ask: (step: NameIdsStep) => Promise<NameCounts> | NameCounts;
  let instants: Set<number>;

  const use = (server: TestWorkflowEnvironment): void => {
    environment = server;
    [asked, times, instants] = [[], [], new Set()];
    read = () => ({ named: 1 });
    ask = () => ({ ...nothingNamed, named: 1 });
    sources += 1;
  };
  const source = (): string => `named-${process.pid}-${sources}`;
  const fault = (type: FailureType, message: string, nextRetryDelay?: number) =>
    ApplicationFailure.create({
      ...{ type, message, nonRetryable: type !== failureTypes.storeUnavailable },
      ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
    });

  const worker = async (): Promise<Worker> =>
    Worker.create({
      connection: environment.nativeConnection,
      taskQueue: source(),
      workflowBundle: await workflowBundle(),
      activities: {
        namePage: async (step: NamePageStep) => {
          asked.push(step.next === undefined ? step.kind : `${step.kind} ${step.next}`);
          instants.add(step.at);
          times.push(await environment.currentTimeMs());
          return read(step, asked.length);
        },
        nameIds: (step: NameIdsStep) => {
          asked.push(`${step.kind} ids${step.day === undefined ? '' : ` of ${step.day}`}`);
          instants.add(step.at);
          return ask(step);
        },
      },
    });
  const start = (day?: string): Promise<Names> => {
    const { input, workflowId, staticSummary } = namesStart(source(), day);
    return environment.client.workflow.start<Workflow>(namesWorkflow, {
      ...{ taskQueue: source(), workflowId, staticSummary, args: [input] },
      workflowExecutionTimeout: '60 days',
    });
  };
  async function run(
    day?: string,
    act: (handle: Names) => Promise<void> = () => Promise.resolve(),
    afterwards: (handle: Names) => Promise<void> = () => Promise.resolve(),
  ): Promise<NamesResult> {
    const handle = await start(day);
    return (await worker()).runUntil(async () => {
      try {
        await act(handle);
      } catch (error) {
        await handle.terminate('the test failed').catch(() => undefined);
        throw error;
      }
      try {
        return await handle.result();
      } finally {
        await afterwards(handle);
      }
    });
  }
  const failsAs =
    (type: string, pattern: RegExp) =>
    (error: unknown): true => {
      assert.ok(error instanceof WorkflowFailedError, String(error));
      assert.ok(error.cause instanceof ApplicationFailure);
      assert.equal(error.cause.type, type);
      assert.match(error.cause.message, pattern);
      return true;
    };

  describe('on a clock that skips what nobody waits for', () => {
    beforeEach(async () => use(await timeSkipping()));
    afterEach(() => environment.teardown());

    it('reads each list to its end, then asks for the ids that it no longer has', async () => {
      read = ({ kind, next }) => {
        if (kind !== 'variant') return { named: 1 };
        return { named: 1_000, ...(next === undefined ? { next: 'page=2' } : {}) };
      };
      ask = ({ kind }) =>
        kind === 'variant'
          ? { named: 2_000, new: 3, gone: 1, unknown: 0, left: 7 }
          : { ...nothingNamed, named: 1 };
      let status: NamesStatus | undefined;
      let page = '';
      const result = await run(undefined, undefined, async (handle) => {
        status = await handle.query<NamesStatus>('status');
        page = await currentDetails(handle);
      });
      assert.deepEqual(asked, [
        ...['variant', 'variant page=2', 'variant ids'],
        ...['pageevent', 'pageevent ids', 'customtarget', 'customtarget ids'],
      ]);
      assert.equal(instants.size, 1, 'all answers are as of the beginning of the run');
      assert.deepEqual(result, {
        ...{ named: 2_002, new: 3, gone: 1, unknown: 0, left: 7 },
        reason: 'What Monetate says of ids: 2,002 named (3 new), 1 gone, 7 not asked for this time.',
      });
      assert.deepEqual(status?.counts.pageevent, { ...nothingNamed, named: 1 });
      assert.equal(
        page,
        [
          '| | |',
          '|---|---|',
          '| Variants | 2,000 named (3 new), 1 gone, 7 not asked for this time |',
          '| Page events | 1 named |',
          '| Custom targets | 1 named |',
          '| Next | Nothing: it is done. |',
        ].join('\n'),
      );
    });

    it("asks for a day's ids alone", async () => {
      ask = ({ kind }) => ({
        ...nothingNamed,
        ...(kind === 'pageevent' ? { named: 2, new: 2, unknown: 1 } : {}),
      });
      const result = await run('2026-11-20');
      assert.deepEqual(
        asked,
        ['variant', 'pageevent', 'customtarget'].map((kind) => `${kind} ids of 2026-11-20`),
      );
      assert.equal(
        result.reason,
        'What Monetate says of ids of 2026-11-20: 2 named (2 new), 1 without a name.',
      );
    });

    it('says while it works what it does', async () => {
      const second = gate();
      const release = gate();
      read = async ({ kind, next }) => {
        if (kind !== 'variant') return { named: 1 };
        if (next === undefined) return { named: 1_000, next: 'page=2' };
        second.open();
        await release.passed;
        return { named: 1 };
      };
      let page = '';
      await run(undefined, async (handle) => {
        await second.passed;
        page = await currentDetails(handle);
        release.open();
      });
      assert.match(page, /\| Next \| Reads the list of variants, 1 of its pages so far\. \|/);
    });

    it('waits as long as the API asks for', async () => {
      read = ({ kind }, call) => {
        if (call === 1) throw fault(failureTypes.storeUnavailable, 'status 429. It is retried.', 10 * minute);
        return { named: kind.length };
      };
      await run();
      const waited = times[1]! - times[0]!;
      assert.ok(waited >= 10 * minute && waited < 11 * minute, `${waited}`);
    });

    it('lives with an API that is broken for hours, and not with one that is for half a day', async () => {
      const begun = await environment.currentTimeMs();
      let broken = 5 * hour;
      read = async () => {
        if ((await environment.currentTimeMs()) - begun < broken) {
          throw fault(failureTypes.storeUnavailable, 'Asking failed: status 503. It is retried.');
        }
        return { named: 1 };
      };
      assert.equal((await run()).named, 3);
      broken = 100 * hour;
      await assert.rejects(
        run(),
        failsAs(
          'StoreUnavailable',
          /^Asking failed: status 503\. It was tried for 12 hours\. .* the next daily run/,
        ),
      );
    });

    it('ends at once with what a person has to do; nothing more is asked', async () => {
      read = () => {
        throw fault(failureTypes.accessDenied, 'The key of api-abc-acme was revoked. Give it a new one.');
      };
      let page = '';
      await assert.rejects(
        run(undefined, undefined, async (handle) => {
          page = await currentDetails(handle);
        }),
        failsAs('AccessDenied', /^The key of api-abc-acme was revoked\. Give it a new one\.$/),
      );
      assert.deepEqual(asked, ['variant']);
      assert.match(page, /\| Next \| The key of api-abc-acme was revoked\. Give it a new one\. \|/);
    });

    it('is not led in a circle', async () => {
      read = ({ next }) => ({ named: 1, next: next === 'page=2' ? 'page=3' : 'page=2' });
      await assert.rejects(
        run(),
        failsAs('StoreUnavailable', /^Monetate's list of variants comes back to a page/),
      );
      assert.deepEqual(asked, ['variant', 'variant page=2', 'variant page=3']);
    });

    it('says that it was cancelled', async () => {
      const reached = gate();
      const release = gate();
      read = async () => {
        reached.open();
        await release.passed;
        return { named: 1 };
      };
      let page = '';
      await assert.rejects(
        run(
          undefined,
          async (handle) => {
            await reached.passed;
            await handle.cancel();
          },
          async (handle) => {
            page = await currentDetails(handle);
            release.open();
          },
        ),
      );
      assert.match(page, /\| Next \| Nothing: it was cancelled\. What was named stays\. \|/);
    });
  });

  it('goes on in a new history where the list is long, as of the same instant', async () => {
    use((await forgetfulServer()).environment);
    const pages = 12;
    read = ({ kind, next }) => {
      const page = Number(/\d+/.exec(next ?? '')?.[0] ?? 1);
      return { named: 1, ...(kind !== 'customtarget' && page < pages ? { next: `page=${page + 1}` } : {}) };
    };
    let runs: string[] = [];
    try {
      const result = await run(undefined, undefined, async (handle) => {
        runs = await runsOf(environment.client, handle.workflowId);
      });
      assert.equal(result.named, 3);
    } finally {
      await terminateAll(environment.client, source());
    }
    assert.ok(runs.length > 2, `${runs.length} runs`);
    assert.equal(instants.size, 1);
    const expected = ['variant', 'pageevent'].flatMap((kind) => [
      kind,
      ...Array.from({ length: pages - 1 }, (_, index) => `${kind} page=${index + 2}`),
      `${kind} ids`,
    ]);
    assert.deepEqual(asked, [...expected, 'customtarget', 'customtarget ids']);
  });
});
