import assert from 'node:assert/strict';

import fc from 'fast-check';

import {
  abandonLoad,
  batcher,
  planLoad,
  type LoadPlan,
  type PlannedFile,
} from '../../warehouse/plan-load.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { transaction } from '../../warehouse/transaction.js';
import { vendors } from '../../vendors/registry.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

describe('batches', () => {
  it('are several small files, or one large one', () => {
    const batchOf = batcher({ files: 3, bytes: 100 });
    assert.deepEqual(
      [10, 10, 10, 10, 90, 90, 500, 1, 99, 0, 1].map(batchOf),
      [0, 0, 0, 1, 1, 2, 3, 4, 4, 4, 5],
    );
  });

  it('keep the order, stay within their limits, and leave no number out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(200)),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 300 }),
        (sizes, files, bytes) => {
          const numbers = sizes.map(batcher({ files, bytes }));
          numbers.forEach((number, index) => {
            const before = numbers[index - 1] ?? 0;
            assert.ok(number === before || number === before + 1);
          });
          for (const batch of new Set(numbers)) {
            const inside = sizes.filter((_, index) => numbers[index] === batch);
            const sum = inside.reduce((total, size) => total + size, 0);
            assert.ok(inside.length <= files);
            assert.ok(sum <= bytes || inside.length === 1);
          }
        },
      ),
    );
  });
});

describe('the plan of a load', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  const id = 'shop/events/2026-03-01';

  beforeEach(async () => {
    database = await testDatabase();
    const source = { name: 'shop', vendor: 'optimizely', schema: 'shop' };
    await prepareSource(database.pool, source, vendors.optimizely.scripts);
    await openDelivery(database.pool, { source: 'shop', type: 'events', date: '2026-03-01' }, 0);
  });
  afterEach(() => database.drop());

  const file = (key: string, version = 'v1'): PlannedFile => ({
    key,
    version,
    size: 10,
    modified: 0,
    partitionValue: null,
  });

  const plan = (files: readonly PlannedFile[], request: string, force = false): Promise<LoadPlan> =>
    planLoad(database.pool, {
      deliveryId: id,
      source: 'shop',
      schema: 'shop',
      table: 'conversion',
      date: '2026-03-01',
      request,
      force,
      files: (async function* () {
        yield await Promise.resolve(files);
      })(),
      limits: { files: 2, bytes: 1_000 },
    });

  const states = async (): Promise<string[]> => {
    const { rows } = await database.pool.query<{ state: string }>(
      'select state from landfall.load order by id',
    );
    return rows.map(({ state }) => state);
  };

  /** Loads whose staging table is there. */
  const stagingTables = async (): Promise<string[]> => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'landfall_staging' order by 1`,
    );
    return rows.map(({ name }) => name);
  };

  it('asked for twice is the same load', async () => {
    const first = await plan([file('a'), file('b'), file('c')], 'run/load-0');
    const second = await plan([file('a'), file('b'), file('c')], 'run/load-0');
    assert.deepEqual(second, first);
    assert.deepEqual([first.files, first.bytes, first.batches, first.published], [3, 30, 2, false]);
  });

  it('is joined by whoever plans the same files', async () => {
    const [one, other] = await Promise.all([plan([file('a')], 'one'), plan([file('a')], 'other')]);
    assert.equal(one.loadId, other.loadId);
    assert.deepEqual(await states(), ['staging']);
  });

  it('gives way to one of other files, and its table goes', async () => {
    await plan([file('a', 'v1')], 'run/load-0');
    const second = await plan([file('a', 'v2')], 'run/load-1');
    assert.deepEqual(await states(), ['abandoned', 'staging']);
    assert.deepEqual(await stagingTables(), [`load_${second.loadId}`]);
  });

  it('repeated after the files changed is a new load, and repeated again that same one', async () => {
    const first = await plan([file('a', 'v1')], 'run/load-0');
    const second = await plan([file('a', 'v2')], 'run/load-0');
    const third = await plan([file('a', 'v2')], 'run/load-0');
    assert.notEqual(second.loadId, first.loadId);
    assert.equal(third.loadId, second.loadId);
  });

  it('by force begins anew, though the same files are being staged', async () => {
    await plan([file('a')], 'run/load-0');
    const forced = await plan([file('a')], 'run/load-1', true);
    assert.deepEqual(await states(), ['abandoned', 'staging']);
    assert.equal((await plan([file('a')], 'run/load-1', true)).loadId, forced.loadId);
  });

  it('of the very files that readers see is published already', async () => {
    const first = await plan([file('a')], 'run/load-0');
    await database.pool.query(`update landfall.load set state = 'published' where id = $1`, [first.loadId]);
    const again = await plan([file('a')], 'run/load-1');
    assert.deepEqual([again.loadId, again.published], [first.loadId, true]);
    const forced = await plan([file('a')], 'run/load-2', true);
    assert.equal(forced.published, false);
    assert.deepEqual(await states(), ['published', 'staging']);
  });

  it('of no files is a plan too', async () => {
    const empty = await plan([], 'run/load-0');
    assert.deepEqual([empty.files, empty.batches], [0, 0]);
  });

  it('whatever is planned, published and given up: one load is staged, one published, and only the staged has a table', async () => {
    const step = fc.record({
      files: fc.subarray([file('a'), file('b'), file('b', 'v2'), file('c')]),
      request: fc.constantFrom('r0', 'r1', 'r2', 'r3'),
      force: fc.boolean(),
      then: fc.constantFrom('nothing', 'publish', 'abandon'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        await database.pool.query('truncate landfall.load cascade');
        for (const table of await stagingTables()) {
          await database.pool.query(`drop table landfall_staging.${table}`);
        }
        for (const { files, request, force, then } of steps) {
          const { loadId } = await plan(files, request, force);
          if (then === 'abandon') await transaction(database.pool, (c) => abandonLoad(c, loadId, 'test'));
          if (then === 'publish') await pretendToPublish(loadId);
          const now = await states();
          const staged = now.filter((state) => state === 'staging').length;
          assert.ok(staged <= 1);
          assert.ok(now.filter((state) => state === 'published').length <= 1);
          assert.equal((await stagingTables()).length, staged);
        }
      }),
      { numRuns: 40 },
    );
  });

  const pretendToPublish = async (loadId: string): Promise<void> => {
    await transaction(database.pool, async (client) => {
      const { rowCount } = await client.query(
        `select 1 from landfall.load where id = $1 and state = 'staging'`,
        [loadId],
      );
      if (rowCount !== 1) return;
      await client.query(`update landfall.load set state = 'replaced' where state = 'published'`);
      await client.query(`update landfall.load set state = 'published' where id = $1`, [loadId]);
      await client.query(`drop table landfall_staging.load_${loadId}`);
    });
  };
});
