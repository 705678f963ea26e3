import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { auditDeliveries, type AuditState } from '../../activities/audit.js';
import { createDiscover } from '../../activities/discover.js';
import { createLook } from '../../activities/look.js';
import { createPlan } from '../../activities/plan.js';
import { createPublish } from '../../activities/publish.js';
import { nameDay, nameJob } from '../../config/name-delivery.js';
import type { Delivery } from '../../model/delivery.js';
import type { ListOptions, Store } from '../../stores/store.js';
import type { Sighting } from '../../vendors/completion.js';
import { finalDeliveries } from '../../warehouse/final-deliveries.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { openDesk } from '../client/landfall-command.js';
import type { Finding } from '../../client/checks/finding.js';
import { openActivities, type OpenActivities } from '../support/activities.js';
import { prefix, testSource, type TestSource } from '../support/landfall.js';
import { leanplumSource } from '../support/leanplum.js';
import { megaphoneSource } from '../support/megaphone.js';
import { monetateSource, type MonetateSource } from '../support/monetate.js';

const day = 86_400_000;

describe('final deliveries beside their store', function () {
  this.timeout(60_000);
  let source: TestSource;
  let open: OpenActivities;
  let loads = 0;

  const use = <S extends TestSource>(opened: S): S => {
    source = opened;
    open = openActivities(source);
    return opened;
  };
  afterEach(async () => {
    await open.close();
    await source.drop();
  });

  const put = (key: string, body: string | Uint8Array = new Uint8Array()): Promise<unknown> =>
    source.bucket.put(prefix + key, body);
  const look = (delivery: Delivery, compare = true): Promise<Sighting> =>
    open.run(createLook, { delivery, compare, now: Date.now(), pollEvery: 1_000 });
  /** Loads what lies there, as if no file had rows. */
  const load = async (delivery: Delivery): Promise<void> => {
    const { pool } = source.database;
    await openDelivery(pool, delivery, Date.now() + day);
    const { marker } = await look(delivery, false);
    const request = `load-${++loads}`;
    const step = { delivery, request, force: false, ...(marker ? { marker } : {}) };
    const { loadId } = await open.run(createPlan, step);
    await pool.query(
      `update landfall.load_file
       set staged_at = now(), rows_parsed = 0, rows_loaded = 0, rows_quarantined = 0, rows_duplicate = 0
       where load_id = $1`,
      [loadId],
    );
    await open.run(createPublish, { delivery, loadId, finality: 'final', reason: 'by hand' });
  };
  const discovered = async (now = Date.now()): Promise<string[]> => {
    const { starts } = await open.run(createDiscover, { source: source.config.name, now });
    return starts.map(({ workflowId }) => workflowId);
  };
  /** By the delivery's name; and the listings that this took. */
  const audit = async (
    type: string,
    now = Date.now(),
  ): Promise<{ states: Record<string, AuditState>; listings: string[] }> => {
    const { name } = source.config;
    const opened = open.deps.source(name);
    const listings: string[] = [];
    const store: Store = {
      ...opened.store,
      list: (folder: string, options?: ListOptions) => {
        listings.push(folder);
        return opened.store.list(folder, options);
      },
    };
    const finals = await finalDeliveries(source.database.pool, { source: name, type, after: 0 });
    const audited = await auditDeliveries(source.database.pool, { ...opened, store }, type, finals, now);
    const states = audited.map(({ delivery, state }) => [delivery.id.slice(name.length + 1), state] as const);
    return { states: Object.fromEntries(states), listings };
  };

  describe('of Optimizely', () => {
    const date = '2026-03-01';
    const folder = `type=events/date=${date}/`;
    let delivery: Delivery;
    beforeEach(async () => {
      use(await testSource({ settings: { types: ['events'], since: '2026-03-01' } }));
      delivery = nameDay(source.config, 'events', date);
      for (const part of ['a', 'b', 'c']) await put(`${folder}event=x/part-${part}.parquet`, part);
      await put(`${folder}_SUCCESS`);
      await load(delivery);
    });
    const state = async (): Promise<AuditState | undefined> =>
      (await audit('events')).states[`events/${date}`];

    it('are the same, whatever else lies beside the parts', async () => {
      await put(`${folder}.part-a.parquet.crc`, 'hidden');
      await put(`${folder}_committed_1`, 'hidden');
      await put(`${folder}_SUCCESS`);
      assert.equal(await state(), 'same');
      assert.deepEqual((await look(delivery)).changes?.total, 0);
    });

    it('have changed by a part more, another or less, and the look says which', async () => {
      await put(`${folder}event=x/part-d.parquet`, 'd');
      assert.equal(await state(), 'changed');
      await put(`${folder}event=x/part-b.parquet`, 'B');
      await source.bucket.remove(`${prefix}${folder}event=x/part-a.parquet`);
      const { version, ...changes } = (await look(delivery)).changes ?? {};
      assert.match(String(version), /^[0-9a-f]{64}$/);
      assert.deepEqual(changes, {
        ...{ total: 3, added: 1, rewritten: 1, removed: 1 },
        first: ['a', 'b', 'd'].map((part) => `${folder}event=x/part-${part}.parquet`),
      });
    });

    it('are compared when asked, and only beside their marker', async () => {
      assert.equal((await look(delivery, false)).changes, undefined);
      await source.bucket.remove(`${prefix}${folder}_SUCCESS`);
      await put(`${folder}event=x/part-d.parquet`, 'd');
      assert.equal((await look(delivery)).changes, undefined);
      assert.equal(await state(), 'unmarked');
      assert.ok(!(await discovered()).includes(delivery.id));
      const notices = await source.rows('select kind, text from landfall.notice');
      assert.deepEqual(
        notices.map(({ kind }) => kind),
        ['gone'],
      );
    });

    it('are audited at once, then after an eighth of their age, every 4 hours at the least', async () => {
      const { pool } = source.database;
      const hour = 3_600_000;
      const now = Date.now();
      const audited = (age: number, ago: number): Promise<unknown> =>
        pool.query(
          `update landfall.delivery set since = to_timestamp($1::float8 / 1000), audited_at = to_timestamp($2::float8 / 1000)`,
          [now - age, now - ago],
        );
      const due = async (): Promise<number> =>
        (await finalDeliveries(pool, { source: source.config.name, type: 'events', after: 0, dueAt: now }))
          .length;
      assert.equal(await due(), 1);
      for (const [age, ago, count] of [
        [8 * hour, 0.9 * hour, 0],
        [8 * hour, 1.1 * hour, 1],
        [20 * day, 3.9 * hour, 0],
        [20 * day, 4.1 * hour, 1],
      ] as const) {
        await audited(age, ago);
        assert.equal(await due(), count, `${age / hour} hours old, audited ${ago / hour} hours ago`);
      }
      await put(`${folder}event=x/part-d.parquet`, 'd');
      assert.ok((await discovered(now)).includes(delivery.id));
      await audited(31 * day, 31 * day);
      assert.ok(!(await discovered(now)).includes(delivery.id), 'auditFor is over');
    });

    describe('in landfall check', () => {
      const finding = async (): Promise<Finding | undefined> => {
        const desk = await openDesk(
          JSON.stringify({ ...JSON.parse(source.configText), postgres: { url: source.database.url } }),
          { TEMPORAL_ADDRESS: '127.0.0.1:1' },
        );
        try {
          const { out } = await desk.landfall('check', '-o', 'json');
          return (JSON.parse(out) as Finding[]).find(({ what }) => what === 'final days');
        } finally {
          await desk.leave();
        }
      };

      it('are in order only while they are as they were loaded', async () => {
        assert.deepEqual(await finding(), {
          ...{ part: `store of ${source.config.name}`, what: 'final days', ok: true },
          found: '1 of the last 30 days are as they were loaded',
        });
        await put(`${folder}event=x/part-d.parquet`, 'd');
        const changed = await finding();
        assert.equal(changed?.ok, false);
        assert.equal(changed.found, `files in the store are others than were loaded: ${delivery.id}`);
        await source.bucket.remove(`${prefix}${folder}_SUCCESS`);
        assert.match((await finding())?.found ?? '', /and their marker is away: /);
      });

      it('may be gone where somebody has acknowledged that', async () => {
        for (const key of await source.bucket.list(prefix + folder)) await source.bucket.remove(key);
        // Else there is nothing to list at all.
        await put('type=events/date=2026-02-01/_SUCCESS');
        assert.match((await finding())?.found ?? '', /^files are no longer in the store/);
        await discovered();
        await source.rows('update landfall.notice set acknowledged_at = now()');
        assert.equal((await finding())?.ok, true);
      });
    });
  });

  it('of Megaphone lie side by side: one listing is enough for all of them', async () => {
    use(await megaphoneSource({ since: '2026-03-01' }));
    const dates = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'];
    const key = (date: string): string => `metrics-day-${date}.json.gz`;
    for (const date of dates) {
      await put(key(date), gzipSync(date));
      await load(nameDay(source.config, 'metrics', date));
    }
    // Accepted as a day without a file, which came after all.
    await load(nameDay(source.config, 'metrics', '2026-03-05'));
    await put(key('2026-03-05'), gzipSync('late'));
    await put(key('2026-03-02'), gzipSync('another'));
    await source.bucket.remove(prefix + key('2026-03-03'));
    await put('impression-day-2026-03-01.json.gz', gzipSync('of another type'));
    const { states, listings } = await audit('metrics');
    assert.deepEqual(states, {
      '2026-03-01': 'same',
      '2026-03-02': 'changed',
      '2026-03-03': 'gone',
      '2026-03-04': 'same',
      '2026-03-05': 'changed',
    });
    assert.deepEqual(listings, ['']);
    const started = await discovered();
    assert.deepEqual(
      ['2026-03-02', '2026-03-05'].map((date) => started.includes(`${source.config.name}/${date}`)),
      [true, true],
    );
    assert.ok(!started.includes(`${source.config.name}/2026-03-03`));
  });

  describe('of Leanplum', () => {
    const date = '2026-11-20';
    const uuid = (number: number): string => `00000000-0000-4000-8000-00000000000${number}`;
    const key = (number: number, what: string): string => `20261120/export-77-${uuid(number)}-output-${what}`;
    const jobOf = (number: number): Delivery => nameJob(source.config, 'sessions', date, uuid(number));
    const manifest = (number: number, ...shards: readonly number[]): Promise<unknown> =>
      put(key(number, 'manifest'), JSON.stringify(shards.map((shard) => key(number, String(shard)))));

    beforeEach(async () => {
      use(await leanplumSource({ since: date }));
      for (const job of [1, 2, 3, 4, 5]) {
        for (const shard of ['0', '1']) await put(key(job, shard), `${job} ${shard}`);
        await manifest(job, 0, 1);
        await load(jobOf(job));
      }
    });

    it('have changed by their manifest and what it lists, and by nothing else', async () => {
      await put(key(1, '2'), 'in no manifest');
      await put(key(2, '1'), 'another');
      await put(key(3, '2'), 'more');
      await manifest(3, 0, 1, 2);
      await source.bucket.remove(prefix + key(4, 'manifest'));
      await source.bucket.remove(prefix + key(4, '0'));
      for (const what of ['0', '1', 'manifest']) await source.bucket.remove(prefix + key(5, what));
      const { states, listings } = await audit('sessions');
      assert.deepEqual(states, {
        [uuid(1)]: 'same',
        [uuid(2)]: 'changed',
        [uuid(3)]: 'changed',
        [uuid(4)]: 'unmarked',
        [uuid(5)]: 'gone',
      });
      assert.deepEqual(listings, ['20261120/']);
      assert.deepEqual(await discovered(), [jobOf(2).id, jobOf(3).id]);
      assert.deepEqual(
        (await source.rows('select delivery_id as id from landfall.notice')).map(({ id }) => id),
        [jobOf(4).id],
        'whose bucket it is may clear it',
      );
      assert.deepEqual((await look(jobOf(2))).changes?.first, [key(2, '1')]);
      assert.deepEqual((await look(jobOf(3))).changes?.added, 1);
      assert.deepEqual((await look(jobOf(1))).changes?.total, 0);
    });
  });

  it('of Monetate have changed by a late file, and rest when the vendor no longer keeps them', async () => {
    const monetate: MonetateSource = use(await monetateSource({ since: '2026-03-01' }));
    const key = (date: string, hour: number): string =>
      `${date.replaceAll('-', '/')}/${date.replaceAll('-', '')}T${String(hour).padStart(2, '0')}0000.000Z_PT15M-1.json.gz`;
    const [kept, gone] = ['2026-03-01', '2026-03-02'];
    for (const date of [kept, gone]) {
      await monetate.put(key(date, 3), gzipSync(date));
      await load(nameDay(source.config, 'sessions', date));
    }
    assert.deepEqual((await audit('sessions')).states, { [kept]: 'same', [gone]: 'same' });
    await monetate.put(key(kept, 4), gzipSync('late'));
    await monetate.put(key(gone, 4), gzipSync('late'));
    assert.deepEqual((await audit('sessions')).states, { [kept]: 'changed', [gone]: 'changed' });
    const after820Days = Date.parse('2026-03-01T00:00:00Z') + 820 * day;
    assert.deepEqual((await audit('sessions', after820Days)).states, { [kept]: 'same', [gone]: 'changed' });
  });
});
