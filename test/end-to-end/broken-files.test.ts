import assert from 'node:assert/strict';

import { WorkflowFailedError } from '@temporalio/client';

import type { DeliveryStatus } from '../../model/control.js';
import { deliver, load, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { prefix, testSource, type TestSource } from '../support/landfall.js';

const date = '2026-03-01';
const day = { type: 'events', date, rows: 300, parts: 2, folders: false } as const;

describe('a part that is no whole Parquet file', function () {
  this.timeout(60_000);
  let source: TestSource;
  let key: string;
  let whole: Uint8Array;
  beforeEach(async () => {
    source = await testSource();
    const { parts } = await deliver(source, day);
    key = prefix + parts[1]!.key;
    whole = await source.bucket.read(key);
  });
  afterEach(() => source.drop());

  const visible = async (): Promise<number> =>
    Number((await source.rows('select count(*) as n from experiments.conversion'))[0]?.['n']);

  const bodies: readonly (readonly [string, () => Uint8Array])[] = [
    ['truncated', () => whole.subarray(0, whole.length / 2)],
    ['of zero bytes', () => Buffer.alloc(0)],
    ['text', () => Buffer.from('uuid,timestamp\n'.repeat(50))],
    ['overwritten in its middle', () => Buffer.from(whole).fill(0xff, 400, 20_000)],
  ];
  for (const [kind, body] of bodies) {
    it(`${kind}, after the deadline: the delivery fails at once and names the file, nothing is visible`, async () => {
      await source.bucket.put(key, body());
      const name = key.slice(prefix.length);
      await assert.rejects(load(source, 'events', date, {}, { deadline: 0 }), (error) => {
        assert.ok(error instanceof WorkflowFailedError);
        assert.equal((error.cause as { type?: string }).type, 'FileUnreadable');
        assert.ok(error.cause?.message.includes(name), error.cause?.message);
        return true;
      });
      assert.equal(await visible(), 0);
      const rows = await source.rows(
        `select d.finality, d.reason, l.state from landfall.delivery d join landfall.load l on l.delivery_id = d.id`,
      );
      assert.equal(rows.length, 1);
      const { finality, reason, state } = rows[0]!;
      assert.ok(String(reason).includes(`${name} cannot be read as Parquet`), String(reason));
      assert.deepEqual([finality, state], ['failed', 'abandoned']);
      await assertConsistent(source.database.pool);
    });
  }

  it('before the deadline: the delivery waits and says why, and is loaded when the file was written anew', async () => {
    await source.bucket.put(key, whole.subarray(0, whole.length - 100));
    await withWorker(source, async (client) => {
      const input = source.input('events', date, { deadline: Date.now() + 60_000, pollEvery: 500 });
      const delivery = await source.start(client, input);
      await eventually(
        async () => (await delivery.query<DeliveryStatus>('status')).next.includes(key.slice(prefix.length)),
        {
          timeoutMs: 10_000,
        },
      );
      assert.equal(await visible(), 0);
      await source.bucket.put(key, whole);
      assert.equal((await delivery.result()).finality, 'final');
    });
    assert.equal(await visible(), day.rows);
    await assertConsistent(source.database.pool);
  });

  it('until the deadline: the delivery waits, then fails', async () => {
    await source.bucket.put(key, Buffer.alloc(0));
    const deadline = Date.now() + 3_000;
    await assert.rejects(load(source, 'events', date, {}, { deadline, pollEvery: 500 }), WorkflowFailedError);
    assert.ok(Date.now() >= deadline);
    const rows = await source.rows('select finality, reason from landfall.delivery');
    assert.equal(rows[0]?.['finality'], 'failed');
    const reason = String(rows[0]?.['reason']);
    assert.ok(!reason.includes('looked at again'), reason);
    assert.match(
      reason,
      /was not written anew before the delivery's deadline\. .* reprocess the delivery\.$/,
    );
    assert.equal(await visible(), 0);
    await assertConsistent(source.database.pool);
  });

  it('in a day that is loaded again: what readers saw stays', async () => {
    assert.equal((await load(source, 'events', date)).finality, 'final');
    await source.bucket.put(key, Buffer.alloc(0));
    await assert.rejects(
      withWorker(source, (client) =>
        client.workflow
          .signalWithStart('optimizely', {
            workflowId: `${source.config.name}/events/${date}`,
            taskQueue: source.taskQueue,
            args: [source.input('events', date, { deadline: 0 })],
            signal: 'reprocess',
            signalArgs: [{ reason: 'the vendor wrote it anew' }],
          })
          .then((delivery) => delivery.result()),
      ),
      WorkflowFailedError,
    );
    assert.equal(await visible(), day.rows);
    const rows = await source.rows('select finality from landfall.delivery');
    assert.deepEqual(rows, [{ finality: 'final' }], 'the finality of what is visible');
    await assertConsistent(source.database.pool);
  });
});
