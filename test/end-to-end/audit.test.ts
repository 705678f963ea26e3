import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';

import { deliver, load, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { prefix, testSource, type TestSource } from '../support/landfall.js';
import { terminateAll } from '../workflows/observe.js';

const date = '2026-03-01';
const marker = `${prefix}type=events/date=${date}/_SUCCESS`;

describe('a final Optimizely day whose files change, end to end', function () {
  this.timeout(90_000);
  let source: TestSource;
  let parts: readonly string[];
  beforeEach(async () => {
    source = await testSource({ settings: { types: ['events'], pollEvery: '1 second', since: date } });
    const day = { type: 'events', date, rows: 400, parts: 4, folders: false } as const;
    parts = (await deliver(source, day)).parts.map(({ key }) => prefix + key);
    await load(source, 'events', date);
  });
  afterEach(async () => {
    await assertConsistent(source.database.pool);
    await source.drop();
  });

  const visible = async (): Promise<number> =>
    Number((await source.rows('select count(*) as n from experiments.conversion'))[0]?.['n']);
  const notices = async (): Promise<string[]> =>
    (await source.rows('select text from landfall.notice order by id')).map(({ text }) => String(text));
  const delivery = async (): Promise<Record<string, unknown>> =>
    (await source.rows(`select finality, notice, held from landfall.delivery where date = '${date}'`))[0]!;
  const id = (): string => source.input('events', date).id;

  /** What the schedule does: gives whether the day was started. */
  const discover = async (client: Client): Promise<boolean> => {
    const { started } = (await client.workflow.execute('discover', {
      taskQueue: source.taskQueue,
      workflowId: `${source.config.name}/discover-${Date.now()}`,
      args: [{ source: source.config.name }],
    })) as { started: string[] };
    return started.includes(id());
  };
  /** An audit is due some time after the one before. */
  const discoverUntilStarted = (client: Client): Promise<unknown> =>
    eventually(() => discover(client), { timeoutMs: 20_000, everyMs: 500 });
  const withSchedule = (work: (client: Client) => Promise<void>): Promise<void> =>
    withWorker(source, async (client) => {
      try {
        await work(client);
      } finally {
        await terminateAll(client, source.taskQueue);
      }
    });
  const result = (client: Client): Promise<{ finality: string; reason: string }> =>
    client.workflow.getHandle(id()).result() as Promise<{ finality: string; reason: string }>;

  it('is loaded again with a notice that says what changed', async () => {
    const [first = '', second = ''] = parts;
    const another = await source.bucket.read(second);
    await withSchedule(async (client) => {
      assert.ok(!(await discover(client)), 'nothing has changed');
      // The vendor takes a person out, and writes the others anew: here one part less, and one under another name.
      await source.bucket.remove(first);
      await source.bucket.remove(second);
      await source.bucket.put(second.replace('part-', 'part-9'), another);
      await discoverUntilStarted(client);
      const { finality, reason } = await result(client);
      assert.equal(finality, 'final');
      assert.match(
        reason,
        /^A final day changed: 1 file was added and 2 were removed \(.*_SUCCESS is there\.$/,
      );
      assert.ok(!(await discover(client)), 'it is as it was loaded');
    });
    assert.equal(await visible(), 300);
    const [notice, ...others] = await notices();
    assert.match(
      notice ?? '',
      /^This day was final with other files: 1 file was added and 2 were removed \(type=events.*\) after its marker, seen at /,
    );
    assert.deepEqual([others, (await delivery())['notice']], [[], notice]);
  });

  it('is loaded again when a part is rewritten under its key', async () => {
    const [first = ''] = parts;
    await deliver(source, { type: 'events', date: '2026-03-05', rows: 130, folders: false, seed: 'new' });
    const other = await source.bucket.read(
      (await source.bucket.list(`${prefix}type=events/date=2026-03-05/`)).find(
        (key) => /part-[^.]/.test(key) && !key.includes('/.'),
      )!,
    );
    await withSchedule(async (client) => {
      await source.bucket.put(first, other);
      await discoverUntilStarted(client);
      assert.equal((await result(client)).finality, 'final');
    });
    assert.equal(
      Number(
        (
          await source.rows(`select count(*) as n from experiments.conversion where export_date = '${date}'`)
        )[0]?.['n'],
      ),
      430,
    );
    assert.match((await notices())[0] ?? '', /: 1 file was rewritten \(/);
  });

  it('stays as it is while its marker is away, and is loaded when that is back', async () => {
    await withSchedule(async (client) => {
      await source.bucket.remove(marker);
      await source.bucket.remove(parts[0]!);
      await eventually(async () => !(await discover(client)) && (await notices()).length > 0, {
        timeoutMs: 20_000,
        everyMs: 500,
      });
      assert.equal(await visible(), 400);
      await source.bucket.put(marker, new Uint8Array());
      await discoverUntilStarted(client);
      assert.equal((await result(client)).finality, 'final');
    });
    assert.equal(await visible(), 300);
    assert.match(
      (await notices())[0] ?? '',
      /^It is final, and its files in the store are others by now, without their marker\./,
    );
  });

  it('stays as it is when a bucket expires all of it, with one notice', async () => {
    await withSchedule(async (client) => {
      for (const key of await source.bucket.list(`${prefix}type=events/date=${date}/`))
        await source.bucket.remove(key);
      await eventually(async () => !(await discover(client)) && (await notices()).length > 0, {
        timeoutMs: 20_000,
        everyMs: 500,
      });
      await discover(client);
    });
    assert.equal(await visible(), 400);
    const texts = await notices();
    assert.equal(texts.length, 1);
    assert.match(
      texts[0] ?? '',
      /^It is final, and its files are no longer in the store\. The rows of its last load \(\d+\) stay visible\./,
    );
  });

  it('gets another notice when its files go once more, though the first was acknowledged', async () => {
    const keys = await source.bucket.list(`${prefix}type=events/date=${date}/`);
    const files = await Promise.all(keys.map(async (key) => [key, await source.bucket.read(key)] as const));
    const open = async (): Promise<number> =>
      (await source.rows('select from landfall.notice where acknowledged_at is null')).length;
    await withSchedule(async (client) => {
      const goes = async (): Promise<void> => {
        for (const key of keys) await source.bucket.remove(key);
        await eventually(async () => !(await discover(client)) && (await open()) > 0, {
          ...{ timeoutMs: 30_000, everyMs: 500 },
        });
      };
      await goes();
      await source.rows('update landfall.notice set acknowledged_at = now()');
      for (const [key, bytes] of files) await source.bucket.put(key, bytes);
      await eventually(
        async () => {
          await discover(client);
          return (await notices())[0]?.includes('They are there again, seen at ');
        },
        { timeoutMs: 30_000, everyMs: 500 },
      );
      assert.equal(await open(), 0);
      await goes();
    });
    assert.equal((await notices()).length, 2);
  });

  it('is held when most of it is gone, and published when a person accepts that', async () => {
    await withSchedule(async (client) => {
      for (const key of parts.slice(1)) await source.bucket.remove(key);
      await discoverUntilStarted(client);
      await eventually(async () => (await delivery())['held'] !== null, { timeoutMs: 20_000 });
      assert.deepEqual([await visible(), (await delivery())['finality']], [400, 'final']);
      assert.match(String((await delivery())['held']), /has 100 rows .* where readers see 400 .* 75 % fewer/);
      const handle = client.workflow.getHandle(id());
      // Whatever becomes of the run that held it.
      await handle.terminate('somebody was careless');
      await client.workflow.signalWithStart('optimizely', {
        ...{ workflowId: id(), taskQueue: source.taskQueue, args: [source.input('events', date)] },
        ...{ signal: 'accept', signalArgs: [{ reason: 'the vendor removed a test' }] },
      });
      const { finality, reason } = await result(client);
      assert.equal(finality, 'final');
      assert.match(reason, /somebody accepted it: the vendor removed a test$/);
    });
    assert.deepEqual([await visible(), (await delivery())['held']], [100, null]);
    assert.match((await notices())[0] ?? '', /3 files were removed/);
  });

  it('is left alone once a person has skipped what was held', async () => {
    await withSchedule(async (client) => {
      for (const key of parts.slice(1)) await source.bucket.remove(key);
      await discoverUntilStarted(client);
      await eventually(async () => (await delivery())['held'] !== null, { timeoutMs: 20_000 });
      await client.workflow.getHandle(id()).signal('skip', { reason: 'we keep what we have' });
      await result(client);
      const audited = async (): Promise<number> =>
        Number(
          (await source.rows(`select audited_at from landfall.delivery where date = '${date}'`))[0]?.[
            'audited_at'
          ],
        );
      const before = await audited();
      await eventually(
        async () => {
          assert.ok(!(await discover(client)), 'a person has decided');
          return (await audited()) > before;
        },
        { timeoutMs: 20_000, everyMs: 500 },
      );
      assert.deepEqual([await visible(), (await delivery())['held']], [400, null]);
    });
  });
});
