import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';

import type { DeliveryInput, DeliveryStatus } from '../../model/control.js';
import { deliver, load, signal, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { prefix, testSource, type TestSource } from '../support/landfall.js';

const date = '2026-03-01';
const day = { type: 'events', date, rows: 400, parts: 2, folders: false } as const;
const marker = `${prefix}type=events/date=${date}/_SUCCESS`;

describe('the life of a delivery, in the ledger', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await testSource();
  });
  afterEach(async () => {
    await assertConsistent(source.database.pool);
    await source.drop();
  });

  const visible = async (): Promise<unknown> =>
    (await source.rows('select count(*)::int as n from experiments.conversion'))[0]?.['n'];
  const finality = async (): Promise<unknown> =>
    (await source.rows('select finality from landfall.delivery'))[0]?.['finality'];
  const loads = async (): Promise<unknown[]> =>
    (await source.rows('select state from landfall.load order by id')).map((row) => row['state']);
  /** What people asked for, in order, with their reasons. */
  const asked = async (): Promise<unknown[]> =>
    (
      await source.rows(
        `select kind, reason from landfall.delivery_event where kind like 'signal:%' order by id`,
      )
    ).map(({ kind, reason }) => `${String(kind)}: ${String(reason)}`);
  const waiting = (): DeliveryInput =>
    source.input('events', date, { deadline: Date.now() + 600_000, pollEvery: 300 });
  const late = (): DeliveryInput => source.input('events', date, { deadline: 0 });
  const ask = (
    client: Client,
    name: Parameters<typeof signal>[2],
    reason: string,
  ): ReturnType<typeof signal> => signal(source, client, name, reason, late());

  it('waits for its marker, and becomes final when that comes', async () => {
    await deliver(source, { ...day, marker: false });
    await withWorker(source, async (client) => {
      const delivery = await source.start(client, waiting());
      await eventually(async () => (await finality()) === 'waiting');
      const status = (): Promise<DeliveryStatus> => delivery.query<DeliveryStatus>('status');
      await eventually(async () => (await status()).next.includes('_SUCCESS is not there yet'));
      assert.equal((await status()).finality, 'waiting');
      assert.deepEqual([await visible(), await loads()], [0, []]);
      await source.bucket.put(marker, Buffer.alloc(0));
      assert.equal((await delivery.result()).finality, 'final');
    });
    assert.deepEqual([await finality(), await visible(), await loads()], ['final', 400, ['published']]);
    assert.deepEqual(
      (await source.rows('select kind from landfall.delivery_event order by id')).map((row) => row['kind']),
      ['waiting', 'loading', 'published'],
    );
  });

  it('fails visibly when the marker never comes, as a result and not as a failed workflow', async () => {
    await deliver(source, { ...day, marker: false });
    const result = await load(source, 'events', date, {}, { deadline: Date.parse('2026-03-05T00:00:00Z') });
    assert.equal(result.finality, 'failed');
    assert.match(result.reason, /_SUCCESS was awaited until 2026-03-05 00:00:00 UTC and did not come/);
    assert.deepEqual(await source.rows('select finality, reason from landfall.delivery'), [
      { finality: 'failed', reason: result.reason },
    ]);
    assert.deepEqual([await visible(), await loads()], [0, []]);
  });

  it('is looked for again when it is started again after that', async () => {
    await deliver(source, { ...day, marker: false });
    assert.equal((await load(source, 'events', date, {}, { deadline: 0 })).finality, 'failed');
    await source.bucket.put(marker, Buffer.alloc(0));
    assert.equal((await load(source, 'events', date, {}, { deadline: 0 })).finality, 'final');
    assert.equal(await visible(), 400);
  });

  it('accept: is loaded without its marker', async () => {
    await deliver(source, { ...day, marker: false });
    await withWorker(source, async (client) => {
      const delivery = await source.start(client, waiting());
      await eventually(async () => (await finality()) === 'waiting');
      await delivery.signal('accept', { reason: 'the vendor said so on the phone' });
      const result = await delivery.result();
      assert.deepEqual([result.finality, result.reason], ['final', 'Accepted without its marker.']);
    });
    assert.deepEqual(await asked(), ['signal:accept: the vendor said so on the phone']);
    assert.equal(await visible(), 400);
  });

  it('skip: stops waiting, and stays skipped when it is started again', async () => {
    await withWorker(source, async (client) => {
      const delivery = await source.start(client, waiting());
      await eventually(async () => (await finality()) === 'waiting');
      await delivery.signal('skip', { reason: 'a holiday' });
      assert.equal((await delivery.result()).finality, 'skipped');
      await deliver(source, day);
      assert.equal((await (await source.start(client, late())).result()).finality, 'skipped');
    });
    assert.deepEqual(await source.rows('select finality, reason from landfall.delivery'), [
      { finality: 'skipped', reason: 'a holiday' },
    ]);
    assert.deepEqual([await asked(), await visible()], [['signal:skip: a holiday'], 0]);
  });

  it('pause and resume: nothing is loaded in between', async () => {
    await deliver(source, { ...day, marker: false });
    await withWorker(source, async (client) => {
      const delivery = await source.start(client, waiting());
      await delivery.signal('pause', { reason: 'Postgres is moved' });
      await eventually(
        async () => (await source.rows('select paused from landfall.delivery'))[0]?.['paused'] === true,
      );
      await source.bucket.put(marker, Buffer.alloc(0));
      assert.equal((await delivery.query<DeliveryStatus>('status')).paused, true);
      assert.deepEqual(await loads(), []);
      await delivery.signal('resume', { reason: 'it has moved' });
      assert.equal((await delivery.result()).finality, 'final');
    });
    assert.deepEqual(await asked(), ['signal:pause: Postgres is moved', 'signal:resume: it has moved']);
    assert.deepEqual(await source.rows('select paused from landfall.delivery'), [{ paused: false }]);
  });

  describe('once it is final', () => {
    beforeEach(async () => {
      await deliver(source, day);
      await load(source, 'events', date, {}, { deadline: 0 });
    });

    it('is not loaded again by a second start', async () => {
      const before = await source.rows('select * from landfall.load');
      const result = await load(source, 'events', date, {}, { deadline: 0 });
      assert.equal(result.finality, 'final');
      assert.match(result.reason, /final already/);
      assert.deepEqual(await source.rows('select * from landfall.load'), before);
    });

    it('reprocess: is loaded again from the store, and the new version takes the place of the old', async () => {
      await deliver(source, { ...day, rows: 500, seed: 'anew' });
      await withWorker(source, async (client) => {
        assert.equal((await ask(client, 'reprocess', 'the vendor mended it')).counts?.loaded, 500);
        assert.equal((await ask(client, 'reprocess', 'just to be sure')).counts?.loaded, 500);
      });
      assert.deepEqual([await visible(), await loads()], [500, ['replaced', 'replaced', 'published']]);
      assert.deepEqual(await asked(), [
        'signal:reprocess: the vendor mended it',
        'signal:reprocess: just to be sure',
      ]);
    });

    it('discard: its rows are gone at once and as a whole; the ledger keeps its history', async () => {
      const seen = new Set<unknown>();
      let reading = true;
      const reader = (async (): Promise<void> => {
        while (reading) seen.add(await visible());
      })();
      await withWorker(source, async (client) => {
        assert.equal((await ask(client, 'discard', 'test traffic')).finality, 'discarded');
      });
      reading = false;
      await reader;
      assert.deepEqual([...seen], [400, 0]);
      assert.deepEqual(await source.rows('select finality, reason, published_at from landfall.delivery'), [
        { finality: 'discarded', reason: 'test traffic', published_at: null },
      ]);
      assert.deepEqual(await source.rows('select state, rows_loaded::int from landfall.load'), [
        { state: 'discarded', rows_loaded: 400 },
      ]);
      assert.deepEqual(await asked(), ['signal:discard: test traffic']);
    });

    it('discarded stays discarded, until it is reprocessed', async () => {
      await withWorker(source, async (client) => {
        await ask(client, 'discard', 'by mistake');
        assert.equal((await (await source.start(client, late())).result()).finality, 'discarded');
        assert.equal(await visible(), 0);
        assert.equal((await ask(client, 'reprocess', 'it was a mistake')).finality, 'final');
      });
      assert.deepEqual([await visible(), await loads()], [400, ['discarded', 'published']]);
    });
  });
});
