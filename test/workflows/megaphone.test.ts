import assert from 'node:assert/strict';

import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import { Worker } from '@temporalio/worker';

import type { DeliveryInput, DeliveryResult, DeliveryStatus } from '../../model/control.js';
import { workflowBundle } from '../support/landfall.js';
import { timeSkipping } from '../support/temporal.js';
import { fakeLandfall, type FakeLandfall } from './fake-landfall.js';

const minute = 60_000;
const hour = 60 * minute;

describe('the workflow of a Megaphone day', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;
  /** Hours after the start at which versions were loaded. */
  let loadedAt: number[];
  let deliveries = 0;
  /** The test server's clock cannot be set: its start stands for an hour of the day. */
  let start: number;

  beforeEach(async () => {
    environment = await timeSkipping();
    landfall = fakeLandfall(() => environment);
    loadedAt = [];
    start = await environment.currentTimeMs();
  });
  afterEach(() => environment.teardown());

  interface Night {
    /** Hours until the day ends. */
    readonly left: number;
    /** Versions by the hours after the start at which the vendor wrote them; the last one stands. */
    readonly written: readonly (readonly [number, string])[];
    readonly input?: Partial<DeliveryInput>;
    /** From when to when nobody looks. */
    readonly down?: readonly [number, number];
  }

  /** Runs a delivery through a night; its result, and what was published when (hours after the start). */
  async function live({ left, written, input, down }: Night): Promise<DeliveryResult> {
    landfall.marker = (now) =>
      written.findLast(([at]) => now - start >= at * hour - minute / 2)?.[1] ?? false;
    const at = async (): Promise<number> => ((await environment.currentTimeMs()) - start) / hour;
    landfall.during.publish = async () => {
      loadedAt.push(await at());
    };
    const taskQueue = `megaphone-${++deliveries}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: landfall.activities,
    });
    landfall.during.look = async () => {
      const hours = await at();
      if (!down || hours < down[0] || hours >= down[1]) return;
      const nextRetryDelay = (down[1] - hours) * hour;
      throw ApplicationFailure.create({ message: 'nobody looks', nextRetryDelay });
    };
    const closesAt = start + left * hour + 4.5 * hour;
    const id = `podcasts-${deliveries}/2026-03-01`;
    const handle = await environment.client.workflow.start('megaphone', {
      taskQueue,
      workflowId: id,
      workflowExecutionTimeout: '60 days',
      args: [
        {
          ...{ id, source: 'podcasts', vendor: 'megaphone', type: 'metrics', date: '2026-03-01' },
          ...{ deadline: start + (left + 48) * hour, pollEvery: 15 * minute, closesAt, settleFor: hour },
          ...{ inFlight: 2, heartbeatTimeout: 20_000 },
          ...input,
        } satisfies DeliveryInput,
      ],
    });
    return (await worker.runUntil(() => handle.result())) as DeliveryResult;
  }

  /** Hours at which versions were loaded, rounded to the quarter. */
  const loads = (): number[] => loadedAt.map((at) => Math.round(at * 4) / 4);

  /** The two looks that made it final, in epoch ms, to the second as the reason tells them. */
  const looks = ({ reason }: DeliveryResult): [first: number, second: number] => {
    const told = /was the same at (\S+) (\S+) UTC and at (\S+) (\S+) UTC/.exec(reason) ?? [];
    return [Date.parse(`${told[1]}T${told[2]}Z`), Date.parse(`${told[3]}T${told[4]}Z`)];
  };
  /** The hour of the second of them. */
  const settledAt = (result: DeliveryResult): number => (looks(result)[1] - start) / hour;
  const assertAnHourApart = (result: DeliveryResult): void => {
    const [first, second] = looks(result);
    assert.ok(second - first >= hour, result.reason);
  };

  it('loads each hourly version and ends final an hour after the vendor closed the day', async () => {
    // Starts at 20:00Z.
    const hourly = Array.from({ length: 9 }, (_, hour) => [hour, `v${hour}`] as const);
    const result = await live({ left: 4, written: hourly });
    assert.equal(result.finality, 'final');
    assert.match(result.reason, /was the same at .* and at /);
    assert.deepEqual(loads(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.ok(Math.abs(settledAt(result) - 9.5) < 0.1, `at hour ${settledAt(result)}: 04:30Z and an hour`);
    assert.equal(landfall.ledger.version, 'v8');
    assert.equal(landfall.changes.filter(({ ofVisible }) => ofVisible).length, 1, 'settled once');
  });

  it('is provisional from the first version on', async () => {
    await live({ left: 1, written: [[0, 'v0']] });
    const [loading] = landfall.changes.filter(({ kind }) => kind === 'loading');
    assert.match(loading!.reason, /It is provisional: the vendor may rewrite it until/);
  });

  it('takes a version of 05:16Z, and waits another hour from the look that saw it', async () => {
    const written = [
      [0, 'v0'],
      [1, 'v1'],
      [6 + 16 / 60, 'late'],
    ] as const;
    // Starts at 23:00Z: 04:30Z is hour 5.5, 05:16Z hour 6.27.
    const result = await live({ left: 1, written });
    assert.equal(landfall.ledger.version, 'late');
    assert.deepEqual(loads(), [0, 1, 6.5]);
    assertAnHourApart(result);
    assert.ok(settledAt(result) >= 7.26, `at hour ${settledAt(result)}`);
  });

  it('goes on at 09:00Z when the worker was down from 23:00Z, with the last version alone', async () => {
    const hourly = Array.from({ length: 7 }, (_, hour) => [hour, `v${hour}`] as const);
    // Starts at 22:00Z; down from 23:00Z, hour 1, to 09:00Z, hour 11.
    const result = await live({ left: 2, written: hourly, down: [1, 11] });
    assert.equal(landfall.ledger.version, 'v6');
    assert.equal(loads().at(-1), 11);
    assert.ok(loads().length <= 3, `loads at ${loads().join(', ')}`);
    assertAnHourApart(result);
    assert.ok(settledAt(result) > 11.99, `at hour ${settledAt(result)}: ${result.reason}`);
  });

  it('fails a day whose file never comes, and says that there is no backfill', async () => {
    const result = await live({ left: 1, written: [] });
    assert.equal(result.finality, 'failed');
    assert.match(result.reason, /did not come\. Nothing of it was published\. Megaphone has no backfill/);
    assert.ok(!landfall.calls.includes('plan'));
  });

  it('loads a final day that changed, says so, and lets it settle again', async () => {
    landfall.ledger = { finality: 'final', published: true, version: 'v0' };
    const result = await live({ left: -30, written: [[-1, 'v1']] });
    assert.equal(result.finality, 'final');
    assert.match(landfall.changes[0]!.reason, /^A final day changed: /);
    assert.match(landfall.notices[0]!, /This day was final with version v0/);
    assertAnHourApart(result);
  });

  it('leaves a final day that has not changed as it is', async () => {
    landfall.ledger = { finality: 'final', published: true, version: 'v0' };
    const result = await live({ left: -30, written: [[-1, 'v0']] });
    assert.equal(result.finality, 'final');
    assert.deepEqual(landfall.calls, ['look']);
  });

  it('is final at once when somebody accepts what is loaded', async () => {
    const taskQueue = 'megaphone-accepted';
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: landfall.activities,
    });
    landfall.marker = () => 'v0';
    const id = 'podcasts-accepted/2026-03-01';
    await worker.runUntil(async () => {
      const handle = await environment.client.workflow.start('megaphone', {
        taskQueue,
        workflowId: id,
        args: [
          {
            ...{ id, source: 'podcasts', vendor: 'megaphone', type: 'metrics', date: '2026-03-01' },
            ...{ deadline: start + 48 * hour, pollEvery: 15 * minute, closesAt: start + 9 * hour },
            ...{ settleFor: hour, inFlight: 2, heartbeatTimeout: 20_000 },
          },
        ],
      });
      await environment.sleep(2 * hour);
      assert.equal((await handle.query<DeliveryStatus>('status')).finality, 'provisional');
      await handle.signal('accept', { reason: 'the report cannot wait' });
      const result = (await handle.result()) as DeliveryResult;
      assert.equal(result.finality, 'final');
      assert.match(result.reason, /Somebody accepted/);
    });
    assert.equal(landfall.calls.filter((call) => call === 'publish').length, 1);
  });
});
