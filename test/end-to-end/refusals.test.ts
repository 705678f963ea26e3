import assert from 'node:assert/strict';

import { WorkflowFailedError, type Client } from '@temporalio/client';

import { addDays } from '../../model/day.js';
import type { DeliveryResult } from '../../model/control.js';
import type { DiscoverResult } from '../../workflows/discover.js';
import { deliver, load, signal, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { accessDenied, faultyS3, getOf, type FaultyS3 } from '../support/faulty-s3.js';
import { assertConsistent } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';

const date = '2026-03-01';
const past = { deadline: 0 };
const anyPart = getOf('.parquet');

describe('a store that refuses', function () {
  this.timeout(120_000);
  let store: FaultyS3;
  let source: TestSource;
  const open = async (settings: Record<string, unknown> = {}): Promise<void> => {
    store = await faultyS3();
    source = await testSource({ through: store.endpoint, settings });
  };
  afterEach(async () => {
    await source.drop();
    await store.stop();
  });

  const ledgerOf = async (id = `${source.config.name}/events/${date}`): Promise<Record<string, unknown>> => {
    const rows = await source.rows(
      `select finality, reason, trouble, refusal, failure_type, failures from landfall.delivery where id = '${id}'`,
    );
    return rows[0]!;
  };
  const write = (day = date, rows = 300) =>
    deliver(source, { type: 'events', date: day, rows, parts: 2, folders: false });
  const discover = async (client: Client): Promise<readonly string[]> => {
    const result = (await client.workflow.execute('discover', {
      workflowId: `${source.config.name}/discover`,
      taskQueue: source.taskQueue,
      args: [{ source: source.config.name }],
    })) as DiscoverResult;
    return result.started;
  };

  it('one request in ten for 15 seconds: none of 18 deliveries fails', async () => {
    await open();
    const days = Array.from({ length: 18 }, (_, index) => addDays(date, index));
    for (const day of days) await write(day, 30);
    let until: number | undefined;
    let [requests, refused] = [0, 0];
    const everyTenth = (): boolean => {
      until ??= Date.now() + 15_000;
      const refuses = Date.now() < until && ++requests % 10 === 0;
      if (refuses) refused += 1;
      return refuses;
    };
    store.fail(everyTenth, accessDenied, Infinity);
    await withWorker(source, async (client) => {
      const results = await Promise.all(
        days.map(async (day) => (await source.start(client, source.input('events', day, past))).result()),
      );
      assert.deepEqual(new Set(results.map(({ finality }) => finality)), new Set(['final']));
    });
    assert.ok(refused > 1, `${refused} of ${requests} requests`);
    assert.deepEqual(await source.rows('select * from landfall.trouble'), []);
    await assertConsistent(source.database.pool);
  });

  /** The store answers again: the schedule starts the delivery, which is final with so many rows. */
  const isTakenUpAgain = async (rows: number): Promise<void> => {
    store.heal();
    await withWorker(source, async (client) => {
      const id = `${source.config.name}/events/${date}`;
      assert.ok((await discover(client)).includes(id));
      const result = (await client.workflow.getHandle(id).result()) as DeliveryResult;
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', rows]);
    });
  };

  it('is told of from the first refusal on, and not once it is over', async () => {
    await open();
    await write();
    store.fail(anyPart, accessDenied, Infinity);
    await withWorker(source, async (client) => {
      const handle = await source.start(client, source.input('events', date, past));
      const { reason, finality } = await eventually(async () => {
        const row = await ledgerOf();
        return row?.['trouble'] === null ? undefined : row;
      });
      assert.equal(finality, 'loading');
      assert.match(
        String(reason),
        /^Reading s3:\/\/.* was refused: AccessDenied: .* Attempt \d+ of step 'stage'; it is tried again at 20\S+ \S+ UTC, and until 20\S+ \S+ UTC \(refusalGrace\)\.$/,
      );
      store.heal();
      assert.equal((await handle.result()).finality, 'final');
    });
    const ledger = await ledgerOf();
    assert.deepEqual([ledger['trouble'], ledger['failure_type']], [null, null]);
    assert.doesNotMatch(String(ledger['reason']), /Attempt/);
    assert.deepEqual(await source.rows('select * from landfall.trouble'), []);
  });

  it('for too long: the schedule takes the delivery up again, and it is final once the store answers', async () => {
    await open({ refusalGrace: '1 second', since: date });
    const { rows } = await write();
    store.fail(anyPart, accessDenied, Infinity);
    await assert.rejects(load(source, 'events', date, {}, past), WorkflowFailedError);
    const failed = await ledgerOf();
    assert.deepEqual(
      [failed['finality'], failed['failure_type'], failed['failures']],
      ['failed', 'AccessDenied', 1],
    );
    assert.match(
      String(failed['reason']),
      /It was refused for 1 second\. The schedule takes the delivery up again/,
    );

    await isTakenUpAgain(rows);
    const { failure_type: type, failures } = await ledgerOf();
    assert.deepEqual([type, failures], [null, 0]);
    await assertConsistent(source.database.pool);
  });

  for (const [code, status] of [
    ['NoSuchBucket', 404],
    ['PermanentRedirect', 400],
    ['InvalidAccessKeyId', 403],
  ] as const) {
    it(`by ${code}, once in a while or for too long: what a server says for a moment fails nothing for good`, async () => {
      await open({ refusalGrace: '2 seconds', since: date });
      const { rows } = await write();
      const fault = { kind: 'refuse', status, code } as const;
      store.fail(() => true, fault, 1);
      store.fail(anyPart, fault, Infinity);
      await assert.rejects(load(source, 'events', date, {}, past), WorkflowFailedError);
      assert.ok(store.count(anyPart) > 1, 'it was tried again');
      const failed = await ledgerOf();
      assert.deepEqual([failed['finality'], failed['failure_type']], ['failed', 'AccessDenied']);
      assert.match(String(failed['reason']), new RegExp(`${code}.*The schedule takes the delivery up again`));
      await isTakenUpAgain(rows);
    });
  }

  it('while a final day is reprocessed: it stays final for its own reason, and is reprocessed once the store answers', async () => {
    await open({ refusalGrace: '1 second', since: date });
    await write();
    await load(source, 'events', date, {}, past);
    const before = await ledgerOf();
    const { rows } = await write(date, 400);
    store.fail(anyPart, accessDenied, Infinity);
    const input = source.input('events', date, past);
    await withWorker(source, async (client) => {
      await assert.rejects(signal(source, client, 'reprocess', 'corrected', input), WorkflowFailedError);
    });
    const ledger = await ledgerOf();
    assert.deepEqual([ledger['finality'], ledger['reason']], ['final', before['reason']]);
    assert.match(String(ledger['refusal']), /was refused: AccessDenied/);

    store.heal();
    await withWorker(source, async (client) => {
      assert.ok((await discover(client)).includes(input.id));
      const result = (await client.workflow.getHandle(input.id).result()) as DeliveryResult;
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', rows]);
    });
    const after = await ledgerOf();
    assert.deepEqual([after['refusal'], after['failure_type']], [null, null]);
    await assertConsistent(source.database.pool);
  });
});
