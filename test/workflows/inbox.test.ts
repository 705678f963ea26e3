import assert from 'node:assert/strict';

import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import { failureTypes } from '../../model/failure.js';
import {
  arrivedSignal,
  inboxId,
  inboxWorkflow,
  type InboxInput,
  type InboxStatus,
} from '../../model/inbox.js';
import { eventually } from '../support/eventually.js';
import { workflowBundle } from '../support/landfall.js';
import { timeSkipping } from '../support/temporal.js';
import { fakeInbox, type FakeInbox } from './fake-inbox.js';
import { gate } from './fake-landfall.js';
import { currentDetails, query } from './observe.js';

const second = 1_000;
const minute = 60 * second;

describe('the workflow of an inbox', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let inbox: FakeInbox;

  beforeEach(async () => {
    environment = await timeSkipping();
    inbox = fakeInbox(() => environment);
  });
  afterEach(() => environment.teardown());

  const input: InboxInput = {
    source: 'rum',
    vendor: 'dynatrace',
    gatherBytes: 1_000,
    gatherWithin: 10 * second,
  };

  /** Bodies come, and the receiver tells of them. */
  async function receive(...sizes: readonly number[]): Promise<WorkflowHandle> {
    const at = await environment.currentTimeMs();
    for (const bytes of sizes) inbox.bodies.push({ at, bytes });
    return environment.client.workflow.signalWithStart(inboxWorkflow, {
      ...{ workflowId: inboxId('rum'), taskQueue: 'inbox', args: [input] },
      ...{ signal: arrivedSignal, signalArgs: [{ bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) }] },
    });
  }
  const work = async (body: () => Promise<void>): Promise<void> => {
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: 'inbox',
      workflowBundle: await workflowBundle(),
      activities: inbox.activities,
    });
    await worker.runUntil(body);
  };
  const status = (handle: WorkflowHandle): Promise<InboxStatus> => query<InboxStatus>(handle, 'status');
  const finalities = (): string[] => [...inbox.ledger.values()];
  const until = (condition: () => boolean | Promise<boolean>, what?: string) =>
    eventually(condition, { timeoutMs: 20_000, ...(what === undefined ? {} : { what }) });

  it('answers a signal that it does not know', async () => {
    await work(async () => {
      const handle = await receive(100);
      await handle.signal('paus', { reason: 'Postgres is moved' });
      const { answer, paused } = await status(handle);
      assert.match(
        answer ?? '',
        /^There is no signal 'paus'.*pause.* \(Postgres is moved\)\. An inbox takes pause, resume\.$/,
      );
      assert.equal(paused, false);
      await until(async () =>
        (await currentDetails(handle)).includes("| Answer | There is no signal 'paus'"),
      );
    });
  });

  it('gathers what came within ten seconds of the first into one delivery', async () => {
    await work(async () => {
      const handle = await receive(100);
      await environment.sleep(6 * second);
      await receive(200, 300);
      assert.match((await status(handle)).next, /^Gathers what has come at .*, or once it is 1.0 kB\.$/);
      await environment.sleep(10 * second);
      await until(() => finalities()[0] === 'final');
      assert.deepEqual(
        inbox.bodies.map(({ delivery }) => delivery),
        Array(3).fill('rum/2026-11-20/1'),
      );
      const [gathered, ...others] = inbox.gathered.map(({ at }) => (at - inbox.bodies[0]!.at) / second);
      assert.deepEqual(others, []);
      assert.ok(gathered! >= 10 && gathered! < 16, `after ${gathered} s`);
    });
  });

  it('gathers at once when there is much', async () => {
    await work(async () => {
      await receive(600);
      await receive(600);
      await until(() => finalities().filter((finality) => finality === 'final').length === 2);
      assert.ok(inbox.gathered[0]!.at - inbox.bodies[1]!.at < 9 * second);
    });
  });

  it('with nothing to do waits for word, and does nothing', async () => {
    await work(async () => {
      const handle = await receive(1);
      await environment.sleep(20 * second);
      await until(async () => (await status(handle)).last?.finality === 'final');
      await environment.sleep(5 * minute);
      const { historyLength } = await handle.describe();
      await environment.sleep(24 * 60 * minute);
      assert.equal((await handle.describe()).historyLength, historyLength);
      const { alarm, depth, inFlight, last, next } = await status(handle);
      assert.deepEqual(
        { alarm, depth, inFlight },
        { alarm: false, depth: { bodies: 0, bytes: 0 }, inFlight: [] },
      );
      assert.deepEqual([last?.delivery, last?.counts?.loaded], ['rum/2026-11-20/1', 4]);
      assert.equal(next, 'Waits for what comes next.');
    });
  });

  it('has at most two deliveries at work, and a failed one stops no other', async () => {
    const closed = gate();
    inbox.during.stage = (id) => {
      if (!id.endsWith('/2')) return closed.passed;
      throw ApplicationFailure.nonRetryable('refused', failureTypes.accessDenied);
    };
    await work(async () => {
      const handle = await receive(1_000, 1_000, 1_000, 1_000, 1_000);
      await until(() => inbox.atWork === 2);
      assert.equal((await status(handle)).inFlight.length, 2);
      closed.open();
      await until(() => finalities().filter((finality) => finality === 'final').length === 4);
      await until(async () => (await status(handle)).inFlight.length === 0);
      assert.equal(inbox.ledger.get('rum/2026-11-20/2'), 'failed');
      assert.ok(inbox.mostAtWork <= 2);
      await until(async () => (await status(handle)).failed === 1);
      assert.match(await currentDetails(handle), /\| Failed \| 1 delivery, whose bodies are kept/);
      assert.deepEqual((await status(handle)).depth.bodies, 0);
    });
  });

  it('shows an alarm a minute after a body came that is not loaded, and takes it back when it is', async () => {
    let attempts = 0;
    inbox.during.stage = () => {
      attempts += 1;
      if (attempts > 1) return;
      throw ApplicationFailure.create({ message: 'not now', nextRetryDelay: 5 * minute });
    };
    await work(async () => {
      const handle = await receive(1);
      await environment.sleep(55 * second);
      assert.equal(attempts, 1);
      assert.doesNotMatch(await currentDetails(handle), /ALARM/);
      await environment.sleep(6 * second);
      assert.match(
        await currentDetails(handle),
        /^\| \| \|\n\|---\|---\|\n\| ALARM \| A body that came at .* is not in the tables a minute later/,
      );
      assert.equal((await status(handle)).alarm, true);
      await environment.sleep(5 * minute);
      await until(() => finalities()[0] === 'final');
      await until(async () => !(await currentDetails(handle)).includes('ALARM'), 'the alarm to go');
    });
  });

  it('shows the alarm although no step of its own comes through', async () => {
    let away = true;
    const refuse = (): void => {
      if (away) throw ApplicationFailure.create({ message: 'no Postgres', nextRetryDelay: 30 * second });
    };
    inbox.during = { gather: refuse, count: refuse };
    await work(async () => {
      const handle = await receive(1);
      await environment.sleep(55 * second);
      assert.equal((await status(handle)).alarm, false);
      await environment.sleep(6 * second);
      assert.match(await currentDetails(handle), /\| ALARM \| What was received is not in the tables/);
      away = false;
      await environment.sleep(minute);
      await until(() => finalities()[0] === 'final');
      await until(async () => !(await status(handle)).alarm);
    });
  });

  it('takes the alarm back once somebody has skipped what was late, without being told', async () => {
    inbox.during.stage = () => {
      throw ApplicationFailure.create({ message: 'not now', nextRetryDelay: 60 * minute });
    };
    await work(async () => {
      const handle = await receive(1);
      await environment.sleep(65 * second);
      assert.equal((await status(handle)).alarm, true);
      inbox.ledger.set('rum/2026-11-20/1', 'skipped');
      await environment.sleep(2 * minute);
      await until(async () => !(await status(handle)).alarm);
      assert.deepEqual((await status(handle)).inFlight, [], 'it was asked for');
    });
  });

  it('says what no retry can mend, and goes on once it is mended', async () => {
    let wrong = true;
    inbox.during.gather = () => {
      if (wrong) throw ApplicationFailure.nonRetryable('There is no source.', failureTypes.configInvalid);
    };
    await work(async () => {
      const handle = await receive(1);
      await environment.sleep(15 * second);
      await until(async () => (await status(handle)).next === 'There is no source.');
      wrong = false;
      await environment.sleep(2 * minute);
      await until(() => finalities()[0] === 'final');
      assert.doesNotMatch(await currentDetails(handle), /no source/);
    });
  });

  it('starts nothing while it is paused, not even what is much, and goes on when resumed', async () => {
    await work(async () => {
      const handle = await receive(1);
      await handle.signal('pause', { reason: 'maintenance' });
      await receive(5_000);
      await environment.sleep(70 * second);
      assert.deepEqual(inbox.gathered, []);
      const { paused, next, alarm } = await status(handle);
      assert.deepEqual(
        { paused, next, alarm },
        { paused: true, next: 'Nothing new starts until `resume`.', alarm: true },
      );
      await handle.signal('resume');
      await until(() => finalities().length === 2 && finalities().every((finality) => finality === 'final'));
    });
  });

  it('starts again a delivery whose workflow was terminated', async () => {
    let attempts = 0;
    inbox.during.stage = () => {
      attempts += 1;
      if (attempts > 1) return;
      throw ApplicationFailure.create({ message: 'not now', nextRetryDelay: 60 * minute });
    };
    inbox.activities.settledDeliveries = ({ ids }) =>
      Promise.resolve({
        settled: ids.map((delivery) => ({ delivery, finality: 'failed', reason: 'Its workflow ended.' })),
        waiting: [],
      });
    await work(async () => {
      const handle = await receive(1);
      await environment.sleep(20 * second);
      await until(() => attempts === 1);
      await environment.client.workflow.getHandle('rum/2026-11-20/1').terminate('by hand');
      await environment.sleep(90 * second);
      await until(() => finalities()[0] === 'final');
      await until(async () => (await status(handle)).inFlight.length === 0);
    });
  });

  it('continues as new after a hundred deliveries, and loses and doubles none of them', async () => {
    await work(async () => {
      const handle = await receive(...Array<number>(104).fill(1_000));
      const first = (await handle.describe()).runId;
      const done = (): boolean =>
        finalities().length === 104 && finalities().every((finality) => finality === 'final');
      await eventually(done, { timeoutMs: 90_000 });
      await until(async () => (await status(handle)).inFlight.length === 0);
      assert.notEqual((await handle.describe()).runId, first);
      const { status: ended } = await environment.client.workflow
        .getHandle(handle.workflowId, first)
        .describe();
      assert.equal(ended.name, 'CONTINUED_AS_NEW');
      assert.ok(inbox.mostAtWork <= 2);
      assert.equal(inbox.published.length, 104, 'each was published once');
      // The run that goes on is told of what comes as the first was.
      await receive(1_000);
      await until(() => finalities().filter((finality) => finality === 'final').length === 105);
    });
  });

  it('cancelled it says so, and its deliveries go on', async () => {
    const closed = gate();
    inbox.during.publish = () => closed.passed;
    await work(async () => {
      const handle = await receive(1_000);
      await until(() => inbox.atWork === 1);
      await handle.cancel();
      await until(async () => (await handle.describe()).status.name === 'CANCELLED');
      assert.match(await currentDetails(handle), /Nothing: it was cancelled\. Deliveries in flight go on/);
      closed.open();
      await until(() => finalities()[0] === 'final');
    });
  });
});
