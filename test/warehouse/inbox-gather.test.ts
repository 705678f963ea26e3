import assert from 'node:assert/strict';

import fc from 'fast-check';

import { nameBatch } from '../../config/name-delivery.js';
import { failureTypes } from '../../model/failure.js';
import { countFailed, somethingWaits, unsettledBatches } from '../../warehouse/inbox-deliveries.js';
import { inboxDepth } from '../../warehouse/inbox-depth.js';
import {
  gatherInbox,
  inBatches,
  type GatherRequest,
  type WaitingBody,
} from '../../warehouse/inbox-gather.js';
import { dynatraceSource, type DynatraceSource } from '../support/dynatrace.js';

const noon = Date.parse('2026-11-20T12:00:00Z');

describe('bodies in batches', () => {
  const body = fc.record({
    id: fc.nat().map(String),
    bytes: fc.nat({ max: 40 }),
    day: fc.constant('2026-11-20'),
  });
  const bytesOf = (bodies: readonly WaitingBody[]): number =>
    bodies.reduce((sum, { bytes }) => sum + bytes, 0);

  it('are all there, in their order, in batches that are as large as they may be', () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (waiting, most) => {
        const batches = inBatches(waiting, most);
        assert.deepEqual(batches.flat(), waiting);
        for (const [index, batch] of batches.entries()) {
          assert.ok(batch.length > 0);
          assert.ok(
            bytesOf(batch) <= most || batch.length === 1,
            'only one that is larger by itself is larger',
          );
          const next = batches[index + 1]?.[0];
          if (next) assert.ok(bytesOf(batch) + next.bytes > most, 'the next one would have had room');
        }
      }),
    );
  });
});

describe('gathering', () => {
  let source: DynatraceSource;
  beforeEach(async () => {
    source = await dynatraceSource();
  });
  afterEach(() => source.drop());

  const gather = (changes: Partial<GatherRequest> = {}): Promise<boolean> =>
    gatherInbox(source.database.pool, {
      ...{ source: source.config.name, type: 'sessions', gatherBytes: 20, batches: 20 },
      deliveryOf: (day, first) => ({ id: nameBatch(source.config, day, first).id, deadline: noon }),
      ...changes,
    });
  /** Numbers of bodies by the delivery that they belong to. */
  const given = async (): Promise<Record<string, string[]>> => {
    const rows = await source.rows(
      `select coalesce(delivery_id, 'none') as delivery, array_agg(id::text order by id) as ids from landfall.inbox group by 1`,
    );
    return Object.fromEntries(rows.map((row) => [row['delivery'] as string, row['ids'] as string[]]));
  };
  const unsettled = async (known: readonly string[] = []): Promise<string[]> =>
    (await unsettledBatches(source.database.pool, source.config.name, { known, most: 50 })).map(
      ({ id }) => id,
    );
  const settle = (id: string, finality: string): Promise<unknown> =>
    source.database.pool.query('update landfall.delivery set finality = $2 where id = $1', [id, finality]);

  it('gives bodies to deliveries of the day on which the first of each came, and enters these as waiting', async () => {
    const late = Date.parse('2026-11-20T23:59:59.9Z');
    const a = await source.receive('x'.repeat(15), { at: late });
    const b = await source.receive('x'.repeat(5), { at: late + 200 });
    const c = await source.receive('x'.repeat(1), { at: late + 300 });
    assert.equal(await gather(), false);
    const [first, second] = [source.batch('2026-11-20', a), source.batch('2026-11-21', c)];
    assert.deepEqual(await given(), { [first]: [a, b], [second]: [c] });
    assert.deepEqual(
      await source.rows(
        `select id, source, type, date::text, finality, reason, extract(epoch from deadline)::float8 * 1000 as deadline,
                published_at from landfall.delivery order by id`,
      ),
      [
        {
          ...{
            id: first,
            source: source.config.name,
            type: 'sessions',
            date: '2026-11-20',
            finality: 'waiting',
          },
          ...{ reason: 'Gathered 2 bodies of 0.0 kB from the inbox.', deadline: noon, published_at: null },
        },
        {
          ...{
            id: second,
            source: source.config.name,
            type: 'sessions',
            date: '2026-11-21',
            finality: 'waiting',
          },
          ...{ reason: 'Gathered 1 body of 0.0 kB from the inbox.', deadline: noon, published_at: null },
        },
      ],
    );
    assert.deepEqual(await unsettled(), [first, second]);
  });

  it('makes a batch of its own of a body that is larger than one', async () => {
    const ids = [];
    for (const bytes of [1, 50, 2]) ids.push(await source.receive('x'.repeat(bytes), { at: noon }));
    await gather();
    assert.deepEqual(
      Object.values(await given()),
      ids.map((id) => [id]),
    );
  });

  it('takes no more batches than it is asked for, and says that there are others', async () => {
    for (let count = 0; count < 5; count += 1) await source.receive('x'.repeat(15), { at: noon });
    assert.equal(await gather({ batches: 3 }), true);
    assert.equal((await given())['none']?.length, 2);
    assert.equal(await gather({ batches: 0 }), true);
    assert.equal(await gather({ batches: 2 }), false);
    assert.equal((await given())['none'], undefined);
    assert.equal((await unsettled()).length, 5);
  });

  it('does nothing where nothing waits', async () => {
    assert.equal(await gather(), false);
    assert.deepEqual(await unsettled(), []);
  });

  it('gives each body once, however many do so at the same time', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 30; count += 1) ids.push(await source.receive('x'.repeat(9), { at: noon }));
    await Promise.all(Array.from({ length: 6 }, () => gather({ batches: 4 })));
    const batches = Object.values(await given());
    assert.equal(batches.length, 15);
    assert.deepEqual(
      batches.flat().sort((a, b) => Number(a) - Number(b)),
      ids,
    );
    assert.equal((await unsettled()).length, 15);
  });

  it('leaves the bodies of other sources alone', async () => {
    await source.receive('x', { at: noon });
    await gather({ source: 'another' });
    assert.equal((await given())['none']?.length, 1);
  });

  it('refuses numbers that were given before, and loses nothing by it', async () => {
    const id = await source.receive('x', { at: noon });
    await gather();
    await source.rows(
      `delete from landfall.inbox; alter table landfall.inbox alter column id restart with ${id}`,
    );
    await source.receive('y', { at: noon });
    await assert.rejects(gather(), {
      type: failureTypes.configInvalid,
      message: /has a delivery .* already, so landfall.inbox gives numbers a second time/,
    });
    assert.deepEqual(await given(), { none: [id] });
  });

  describe('is followed by', () => {
    it('the depth of what is neither published nor given up', async () => {
      const { pool } = source.database;
      const { name } = source.config;
      assert.deepEqual(await inboxDepth(pool, name), { bodies: 0, bytes: 0 });
      const ids: string[] = [];
      for (let count = 0; count < 6; count += 1) {
        ids.push(await source.receive('x'.repeat(20), { at: noon + count * 1_000 }));
      }
      assert.deepEqual(await inboxDepth(pool, name), { bodies: 6, bytes: 120, oldest: noon });
      await gather({ batches: 5 });
      for (const [index, finality] of ['final', 'failed', 'discarded', 'loading'].entries()) {
        await settle(source.batch('2026-11-20', ids[index]!), finality);
      }
      assert.deepEqual(await inboxDepth(pool, name), { bodies: 3, bytes: 60, oldest: noon + 3_000 });
      assert.equal(await countFailed(pool, name), 1);
      assert.deepEqual(
        await unsettled([source.batch('2026-11-20', ids[3]!)]),
        [source.batch('2026-11-20', ids[4]!)],
        'besides those that are known',
      );
    });

    it('word of what waits: bodies, or deliveries that nobody has begun', async () => {
      const { pool } = source.database;
      const { name } = source.config;
      assert.equal(await somethingWaits(pool, name), undefined);
      const id = await source.receive('four', { at: noon });
      assert.deepEqual(await somethingWaits(pool, name), { bytes: 4 });
      await gather();
      assert.deepEqual(await somethingWaits(pool, name), { bytes: 0 });
      await settle(source.batch('2026-11-20', id), 'loading');
      assert.equal(await somethingWaits(pool, name), undefined);
    });
  });
});
