import assert from 'node:assert/strict';

import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import type { NameIdsStep } from '../../activities/monetate-names.js';
import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { namesId, nothingNamed } from '../../model/names.js';
import { eventually } from '../support/eventually.js';
import { workflowBundle } from '../support/landfall.js';
import { timeSkipping } from '../support/temporal.js';
import { closesAt, date, deadline, hour, minute, sight } from '../vendors/monetate/case.js';
import { fakeLandfall, gate } from './fake-landfall.js';
import { childrenStarted } from './observe.js';

describe('a Monetate day that is final', function () {
  this.timeout(60_000);
  let environment: TestWorkflowEnvironment;
  let days = 0;
  before(async () => {
    environment = await timeSkipping();
  });
  after(() => environment.teardown());

  /** Days of which ids were asked for, and the children that the delivery started. */
  async function run(
    changes: Partial<DeliveryInput>,
    already = false,
  ): Promise<{ asked: readonly string[]; children: readonly string[] }> {
    const source = `final-${process.pid}-${++days}`;
    const landfall = fakeLandfall(() => environment);
    // Long over: nobody visited.
    landfall.sight = () => sight([]);
    const asked: string[] = [];
    const release = gate();
    if (!already) release.open();
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: source,
      workflowBundle: await workflowBundle(),
      activities: {
        ...landfall.activities,
        nameIds: async (step: NameIdsStep) => {
          asked.push(`${step.kind} ${step.day ?? ''}`);
          await release.passed;
          return nothingNamed;
        },
      },
    });
    const input: DeliveryInput = {
      ...{ id: `${source}/${date}`, source, type: 'sessions', date, vendor: 'monetate' },
      ...{
        deadline,
        closesAt,
        settleFor: hour,
        pollEvery: 15 * minute,
        inFlight: 2,
        heartbeatTimeout: 3_000,
      },
      ...changes,
    };
    const { client } = environment;
    return worker.runUntil(async () => {
      const names = { workflowId: namesId(source, date), taskQueue: source };
      if (already) {
        await client.workflow.start('monetateNames', { ...names, args: [{ source, day: date }] });
        await eventually(() => asked.length > 0);
      }
      const handle = await client.workflow.start<(input: DeliveryInput) => Promise<DeliveryResult>>(
        'monetate',
        {
          ...{ workflowId: input.id, taskQueue: source, args: [input] },
          workflowExecutionTimeout: '60 days',
        },
      );
      const { finality } = await handle.result();
      assert.equal(finality, 'final');
      release.open();
      const children = await childrenStarted(handle);
      for (const child of children) await client.workflow.getHandle(child).result();
      return { asked, children };
    });
  }
  const kinds = ['variant', 'pageevent', 'customtarget'].map((kind) => `${kind} ${date}`);

  it('has its ids named', async () => {
    const { asked, children } = await run({ names: true });
    assert.deepEqual(asked, kinds);
    assert.match(children.join(), /^final-\d+-\d+\/names\/2026-11-20$/);
  });

  it('leaves that to a run that does it already', async () => {
    assert.deepEqual((await run({ names: true }, true)).asked, kinds);
  });

  it('has not where its source has no API for it', async () => {
    assert.deepEqual(await run({}), { asked: [], children: [] });
  });
});
