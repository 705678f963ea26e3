import assert from 'node:assert/strict';

import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { csvKinds } from '../../vendors/leanplum/layout.js';
import type { JobObject } from '../../vendors/leanplum/sighting.js';
import { workflowBundle } from '../support/landfall.js';
import { timeSkipping } from '../support/temporal.js';
import { job, manifest, shard, sight, type Written } from '../vendors/leanplum/case.js';
import { fakeLandfall, type FakeLandfall } from './fake-landfall.js';

const minute = 60_000;
const hour = 60 * minute;

describe('the workflow of a Leanplum job', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;
  let sources = 0;
  let start: number;
  let publishedAt: number[];

  beforeEach(async () => {
    environment = await timeSkipping();
    landfall = fakeLandfall(() => environment);
    landfall.batches = 1;
    start = await environment.currentTimeMs();
    publishedAt = [];
    landfall.during.publish = async () => {
      publishedAt.push(((await environment.currentTimeMs()) - start) / hour);
    };
  });
  afterEach(() => environment.teardown());

  /** What is uploaded when, in hours after the first look. */
  type Upload = readonly (readonly [at: number, thing: (modified: number) => JobObject | Written])[];

  function upload(things: Upload): void {
    landfall.sight = (now) =>
      sight(
        ...things
          .filter(([at]) => now - start >= at * hour - minute / 2)
          .map(([at, thing]) => thing(start + at * hour)),
      );
  }
  const json = (number: number) => (modified: number) => shard(number, 'json', { modified });
  const lists =
    (...numbers: number[]) =>
    (modified: number) =>
      manifest(numbers, 'json', { modified });

  async function begin(
    input: Partial<DeliveryInput> = {},
  ): Promise<[WorkflowHandleWithStartDetails, Worker]> {
    const taskQueue = `leanplum-${++sources}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: landfall.activities,
    });
    const id = `sessions-${sources}/${job}`;
    const handle = await environment.client.workflow.start('leanplum', {
      taskQueue,
      workflowId: id,
      workflowExecutionTimeout: '60 days',
      args: [
        {
          ...{ id, source: `sessions-${sources}`, vendor: 'leanplum', type: 'sessions', date: '2026-11-20' },
          ...{ deadline: start + 96 * hour, pollEvery: 15 * minute, inFlight: 2, heartbeatTimeout: 20_000 },
          ...{ discardAfter: 24 * hour, uploadGrace: 2 * hour, deleteDiscarded: false },
          ...input,
        } satisfies DeliveryInput,
      ],
    });
    return [handle, worker];
  }

  async function live(input: Partial<DeliveryInput> = {}): Promise<DeliveryResult> {
    const [handle, worker] = await begin(input);
    return (await worker.runUntil(() => handle.result())) as DeliveryResult;
  }
  const changes = (): string[] => landfall.changes.map(({ kind }) => kind);
  const notes = (): string[] => landfall.changes.map(({ reason }) => reason);

  it('loads it once its manifest is there, and every shard that it lists', async () => {
    upload([
      [0, json(0)],
      [1, json(1)],
      [3, lists(0, 1)],
    ]);
    const result = await live();
    assert.equal(result.finality, 'final');
    assert.match(result.reason, /^The manifest is there, and so are all 2 shards that it lists\./);
    assert.deepEqual(publishedAt.map(Math.round), [3]);
    assert.deepEqual(changes(), ['waiting', 'loading']);
    assert.match(notes()[0]!, /-output-manifest is awaited until .*; without it the job is discarded\.$/);
  });

  it('waits for all six of CSV', async () => {
    upload(
      csvKinds.flatMap((kind, index): Upload => {
        const of = (modified: number): JobObject => shard(0, kind, { modified });
        return [
          [0, of],
          [index + 1, (modified) => manifest([0], kind, { modified })],
        ];
      }),
    );
    const result = await live();
    assert.equal(result.finality, 'final');
    assert.match(result.reason, /^All manifests are there, and so are all 6 shards/);
    assert.deepEqual(publishedAt.map(Math.round), [6]);
  });

  describe('whose manifest never comes', () => {
    it('discards it after discardAfter, and has staged nothing of it', async () => {
      upload([[0, json(0)]]);
      const result = await live();
      assert.equal(result.finality, 'discarded');
      assert.match(result.reason, /did not complete the upload, and nothing of it was staged/);
      assert.deepEqual(changes(), ['waiting', 'discarded']);
      assert.equal(landfall.changes.at(-1)!.byRule, true);
      assert.deepEqual(
        landfall.calls.filter((call) => call !== 'look'),
        ['abandon'],
      );
      const looks = landfall.calls.length - 1;
      assert.ok(looks >= 10 && looks < 60, `${looks} looks in 24 hours`);
    });

    it('deletes its files only when that is asked for, once the ledger has it as discarded', async () => {
      upload([[0, json(0)]]);
      let known: unknown;
      landfall.during.delete = () => void (known = { ...landfall.ledger });
      const result = await live({ deleteDiscarded: true });
      assert.equal(result.finality, 'discarded');
      assert.deepEqual(known, { finality: 'discarded', published: false, byRule: true });
      assert.equal(landfall.calls.at(-1), 'delete');
    });

    it('loads it when the manifest comes while its files are about to be deleted', async () => {
      upload([[0, json(0)]]);
      landfall.deletes = false;
      landfall.during.delete = () =>
        upload([
          [0, json(0)],
          [24, lists(0)],
        ]);
      const result = await live({ deleteDiscarded: true });
      assert.equal(result.finality, 'final');
      assert.match(result.reason, /^The job was discarded without its manifest, which has come after all\./);
    });

    it('takes it up again when the manifest comes after all', async () => {
      landfall.ledger = { finality: 'discarded', published: false, byRule: true };
      upload([
        [0, json(0)],
        [0, lists(0)],
      ]);
      assert.equal((await live()).finality, 'final');
    });

    it('leaves it discarded while it has not', async () => {
      landfall.ledger = { finality: 'discarded', published: false, byRule: true };
      upload([[0, json(0)]]);
      const result = await live();
      assert.equal(result.finality, 'discarded');
      assert.deepEqual(landfall.calls, ['look']);
    });

    it('leaves one alone that a person discarded, whatever comes', async () => {
      landfall.ledger = { finality: 'discarded', published: false };
      upload([
        [0, json(0)],
        [0, lists(0)],
      ]);
      assert.equal((await live()).finality, 'discarded');
      assert.ok(!landfall.calls.includes('publish'));
    });

    it('keeps what readers see of an earlier load', async () => {
      landfall.ledger = { finality: 'final', published: true, version: 'm' };
      upload([[0, json(0)]]);
      const [handle, worker] = await begin();
      const result = await worker.runUntil(async () => {
        await handle.signal('reprocess', { reason: 'again' });
        return (await handle.result()) as DeliveryResult;
      });
      assert.equal(result.finality, 'failed');
      assert.match(result.reason, /The rows of its last load stay visible\./);
      assert.equal(landfall.ledger.finality, 'final');
    });
  });

  describe('of which a listed shard is missing', () => {
    it('loads it when the shard comes within uploadGrace', async () => {
      upload([
        [0, lists(0, 1)],
        [0, json(0)],
        [1.25, json(1)],
      ]);
      const result = await live();
      assert.equal(result.finality, 'final');
      assert.deepEqual(
        publishedAt.map((at) => Math.round(at * 4) / 4),
        [1.25],
      );
      assert.match(notes()[0]!, /^1 of the 2 listed shards is missing or not whole \(/);
    });

    it('fails after uploadGrace, and names the shard', async () => {
      upload([
        [0, lists(0, 1)],
        [0, json(0)],
      ]);
      const result = await live();
      assert.equal(result.finality, 'failed');
      assert.match(result.reason, /-output-1\)\. The wait for that to be mended ended at/);
      assert.deepEqual(changes(), ['waiting', 'failed']);
      assert.equal(landfall.changes.at(-1)!.byRule, false);
      assert.deepEqual(publishedAt, []);
    });

    it('counts from the manifest, however late that came', async () => {
      upload([
        [0, json(0)],
        [20, lists(0, 1)],
        [21.5, json(1)],
      ]);
      assert.equal((await live()).finality, 'final');
      assert.ok(Math.abs(publishedAt[0]! - 21.5) < 0.3, `at hour ${publishedAt[0]}`);
    });
  });

  it('leaves a shard alone that no manifest lists, and says so', async () => {
    upload([
      [0, json(0)],
      [0, json(7)],
      [0, lists(0)],
    ]);
    assert.equal((await live()).finality, 'final');
    assert.match(landfall.notices[0]!, /^1 shard of the job is in no manifest and was left alone \(/);
  });

  it('loads at 09:00Z what came while the worker was down from 23:00Z on', async () => {
    upload([
      [0, json(0)],
      [3, lists(0)],
    ]);
    landfall.during.look = async () => {
      const hours = ((await environment.currentTimeMs()) - start) / hour;
      if (hours < 0.9 || hours >= 11) return;
      throw ApplicationFailure.create({ message: 'nobody looks', nextRetryDelay: (11 - hours) * hour });
    };
    assert.equal((await live()).finality, 'final');
    assert.deepEqual(publishedAt.map(Math.round), [11]);
  });

  it('accepted without its manifest, takes every shard that is there', async () => {
    upload([[0, json(0)]]);
    const [handle, worker] = await begin();
    const result = await worker.runUntil(async () => {
      await handle.signal('accept', { reason: 'the vendor says so' });
      return (await handle.result()) as DeliveryResult;
    });
    assert.equal(result.finality, 'final');
    assert.ok(landfall.calls.includes('plan without marker all'), landfall.calls.join(', '));
    assert.match(landfall.notices[0]!, /Its manifest is not there/);
  });

  it('reads a shard again that cannot be read, until uploadGrace ends', async () => {
    upload([
      [0, json(0)],
      [1, lists(0)],
    ]);
    const triedAt: number[] = [];
    landfall.during.stage = async () => {
      triedAt.push(((await environment.currentTimeMs()) - start) / hour);
      throw ApplicationFailure.nonRetryable(
        'x-output-0 cannot be read: its gzip is cut off.',
        'FileUnreadable',
      );
    };
    await assert.rejects(live(), /Workflow execution failed/);
    assert.ok(triedAt.length > 3, `${triedAt.length} times`);
    assert.ok(triedAt.at(-1)! >= 3 && triedAt.at(-1)! < 3.5, `last at hour ${triedAt.at(-1)}`);
    assert.equal(landfall.ledger.finality, 'failed');
    assert.match(notes().at(-1)!, /its gzip is cut off/);
  });
});
