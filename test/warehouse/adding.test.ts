import assert from 'node:assert/strict';

import type pg from 'pg';

import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { stagingNames } from '../../warehouse/names.js';
import type { Target } from '../../warehouse/target.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  assertSound,
  countsByFile,
  deliveryOf,
  load,
  openVisits,
  plan,
  publish,
  seen,
  stage,
  written,
  type Visits,
} from './adding.js';
import { stagingTables } from './planning.js';

describe('a load where files come one by one', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  let visits: Visits;

  before(async () => {
    database = await testDatabase();
    pool = database.pool;
  });
  beforeEach(async () => {
    visits = await openVisits(pool);
  });
  afterEach(() => assertSound(visits));
  after(() => database.drop());

  const a = written('a', 'v1', ['1', 2]);
  const b = written('b', 'v1', ['2', 1]);
  const c = written('c', 'v1', ['3', 0]);
  const sessions = async (): Promise<string[]> => (await seen(visits)).map(([id, says]) => `${id}: ${says}`);
  const loads = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ told: string }>(
      `select concat_ws(' ', state, files, kept, rows_parsed, rows_loaded) as told from landfall.load
       where delivery_id = $1 order by id`,
      [visits.delivery],
    );
    return rows.map(({ told }) => told);
  };
  const ledger = () =>
    openDelivery(
      pool,
      { id: visits.delivery, source: visits.source, type: 'sessions', date: '2026-11-20' },
      0,
    );

  describe('stages', () => {
    it('the files that readers do not see, and says of all how many they are', async () => {
      await load(visits, [a, b]);
      const planned = await plan(visits, [a, b, c]);
      const { files, kept, batches, published } = planned;
      assert.deepEqual(
        { files, kept, batches, published },
        { files: 3, kept: 2, batches: 1, published: false },
      );
      assert.deepEqual(await stage(visits, planned, [a, b, c]), ['c']);
      const { parsed } = await publish(visits, planned.loadId);
      assert.equal(parsed, 3, 'what is published is all that readers see');
      assert.deepEqual(await sessions(), ['1: a v1 1', '2: b v1 1', '3: c v1 1']);
      assert.deepEqual(await loads(), ['replaced 2 0 2 2', 'published 3 2 3 3']);
      assert.equal((await plan(visits, [a, b, c])).published, true);
    });

    it('all of them by force', async () => {
      await load(visits, [a, b]);
      assert.deepEqual(await load(visits, [a, b], { force: true }), ['a', 'b']);
      assert.deepEqual(await sessions(), ['1: a v1 1', '2: b v1 1']);
    });

    it('all of them after a discard', async () => {
      await load(visits, [a, b]);
      await discardDelivery(pool, {
        ...{ deliveryId: visits.delivery, target: visits.target, reason: 'not wanted', request: 'discard' },
      });
      assert.deepEqual(await sessions(), []);
      assert.deepEqual(await load(visits, [a, b]), ['a', 'b']);
    });

    it('files in batches of their own, however many are kept between them', async () => {
      await load(visits, [b]);
      const five = ['a', 'c', 'd', 'e', 'f'].map((key) => written(key, 'v1', [key, 0]));
      const planned = await plan(visits, [...five, b]);
      assert.deepEqual([planned.batches, planned.kept], [3, 1]);
      assert.deepEqual(await stage(visits, planned, five), ['a', 'c', 'd', 'e', 'f']);
      await publish(visits, planned.loadId);
    });

    it('what a step asked for, when the step is repeated; two workers join; other files are another load', async () => {
      await load(visits, [a]);
      const [one, other] = await Promise.all([plan(visits, [a, b]), plan(visits, [a, b])]);
      assert.deepEqual([one.loadId, one.kept], [other.loadId, 1]);
      const request = { request: 'asked' };
      const first = await plan(visits, [a, b, c], request);
      assert.deepEqual(await plan(visits, [a, b, c], request), first);
      assert.notEqual(first.loadId, one.loadId);
      await assert.rejects(publish(visits, one.loadId), { type: 'LoadSuperseded' });
      await stage(visits, first, [b, c]);
      await publish(visits, first.loadId);
      const again = await plan(visits, [a, b, c], request);
      assert.deepEqual([again.loadId, again.published], [first.loadId, true]);
    });
  });

  describe('leaves what readers see of a file', () => {
    it('that is no longer listed', async () => {
      await load(visits, [a, b]);
      assert.deepEqual(await load(visits, [b]), []);
      assert.deepEqual(await sessions(), ['1: a v1 1', '2: b v1 1']);
      assert.deepEqual(await load(visits, [b, c]), ['c']);
      assert.deepEqual(Object.keys(await countsByFile(visits)), ['a v1', 'b v1', 'c v1']);
      assert.deepEqual(await loads(), ['replaced 2 0 2 2', 'replaced 2 2 2 2', 'published 3 2 3 3']);
      assert.deepEqual(await load(visits, [a, b, c]), [], 'and it is known when it is listed again');
    });

    it('until its other version is loaded', async () => {
      await load(visits, [a, b]);
      await load(visits, [b, c]);
      assert.deepEqual((await sessions())[0], '1: a v1 1');
      assert.deepEqual(await load(visits, [written('a', 'v2', ['9', 1]), b, c]), ['a']);
      assert.deepEqual(await sessions(), ['2: b v1 1', '3: c v1 1', '9: a v2 1']);
      assert.deepEqual((await seen(visits)).at(-1), ['9', 'a v2 1', '1 a v2 1']);
    });

    it('when there is nothing to stage but another listing', async () => {
      await load(visits, [a, b]);
      const planned = await plan(visits, [a], { marker: () => ({ key: 'day', version: 'w2' }) });
      assert.deepEqual([planned.batches, planned.published], [0, false]);
      await publish(visits, planned.loadId);
      const { version, counts } = await ledger();
      assert.deepEqual([version, counts?.files, counts?.loaded], ['w2', 2, 2]);
    });

    it('and takes all of it out by discard', async () => {
      await load(visits, [a]);
      await load(visits, [b]);
      await load(visits, [c]);
      await discardDelivery(pool, {
        ...{ deliveryId: visits.delivery, target: visits.target, reason: 'not wanted', request: 'discard' },
      });
      assert.deepEqual(await sessions(), []);
    });
  });

  describe('of sessions that come in several files', () => {
    it('shows that of the last file, whichever came first', async () => {
      await load(visits, [written('b', 'v1', ['1', 1], ['2', 0])]);
      await load(visits, [written('b', 'v1', ['1', 1], ['2', 0]), written('a', 'v1', ['1', 3], ['3', 0])]);
      assert.deepEqual(await countsByFile(visits), { 'a v1': [2, 1, 0, 0, 1, 0], 'b v1': [2, 2, 0, 0] });
      await load(visits, [written('c', 'v1', ['1', 2])]);
      assert.deepEqual(await countsByFile(visits), {
        ...{ 'a v1': [2, 1, 0, 0, 1, 0], 'b v1': [2, 1, 0, 0, 1, 0], 'c v1': [1, 1, 0, 0] },
      });
      assert.deepEqual((await seen(visits))[0], ['1', 'c v1 1', '1 c v1 1, 2 c v1 1']);
      assert.equal((await ledger()).counts?.conflicting, 2);
    });

    it('tells copies that say the same from those that do not, and keeps what the latter say', async () => {
      await load(visits, [
        written('b', 'v1', ['1', 2, 'x'], ['2', 1, 'x']),
        written('c', 'v1', ['1', 2, 'x']),
      ]);
      await load(visits, [written('d', 'v1', ['2', 2, 'x'])]);
      assert.deepEqual(await countsByFile(visits), {
        ...{ 'b v1': [2, 0, 0, 1, 1, 0], 'c v1': [1, 1, 0, 0], 'd v1': [1, 1, 0, 0] },
      });
      const { rows } = await pool.query<{ line: string; reason: string; raw: string }>(
        `select q.line, q.reason, q.raw from landfall.quarantine q join landfall.load l on l.id = q.load_id
         where l.delivery_id = $1`,
        [visits.delivery],
      );
      assert.deepEqual(
        rows.map(({ line, reason }) => `${line}: ${reason}`),
        [
          '2: another row has the same session_id and says something else; line 1 of d is the newest and counts',
        ],
      );
      assert.deepEqual(JSON.parse(rows[0]!.raw), {
        ...{ session_id: '2', says: 'x', item: [{ says: 'x', ordinal: 1 }] },
      });
    });

    it('compares their keys byte by byte', async () => {
      await load(visits, [written('a', 'v1', ['1', 0])]);
      await load(visits, [written('B', 'v1', ['1', 0])]);
      assert.deepEqual(await sessions(), ['1: a v1 1']);
    });

    it('brings back an older copy when the newer one goes, without reading it again', async () => {
      const files = [written('a', 'v1', ['1', 1]), written('c', 'v1', ['4', 0])];
      await load(visits, [...files, written('b', 'v1', ['1', 2])]);
      assert.deepEqual(await load(visits, [...files, written('b', 'v2', ['5', 0])]), ['b']);
      assert.deepEqual(await sessions(), ['1: a v1 1', '4: c v1 1', '5: b v2 1']);
      assert.deepEqual((await seen(visits))[0], ['1', 'a v1 1', '1 a v1 1']);
    });

    it('takes the place of those of another delivery, whose ledger says so', async () => {
      const other = await deliveryOf(visits, '2026-11-19');
      await load(other, [written('x', 'v1', ['1', 5], ['7', 0])]);
      await load(visits, [written('a', 'v1', ['1', 1])]);
      assert.deepEqual(await sessions(), ['1: a v1 1', '7: x v1 2']);
      assert.deepEqual(await countsByFile(other), { 'x v1': [2, 1, 0, 0, 0, 1] });
      assert.deepEqual(await countsByFile(visits), { 'a v1': [1, 1, 0, 0] });
      await assertSound(other);
      const { rows } = await pool.query(
        `select f.key, s.by_delivery_id as by, s.rows::int from landfall.superseded s
         join landfall.file f on f.id = s.file_id where f.source = $1`,
        [visits.source],
      );
      assert.deepEqual(rows, [{ key: 'x', by: visits.delivery, rows: 1 }]);
    });

    it('leaves those of a newer delivery, though they were loaded first, and takes their place when that is discarded', async () => {
      const newer = await deliveryOf(visits, '2026-11-21');
      await load(newer, [written('x', 'v1', ['1', 5], ['7', 0])]);
      await load(visits, [written('z', 'v1', ['1', 1])]);
      assert.deepEqual(await sessions(), ['1: x v1 1', '7: x v1 2']);
      assert.deepEqual(await countsByFile(visits), { 'z v1': [1, 0, 0, 0, 0, 1] });
      await discardDelivery(pool, {
        ...{ deliveryId: newer.delivery, target: newer.target, reason: 'not wanted', request: 'discard' },
      });
      assert.deepEqual(await seen(visits), [['1', 'z v1 1', '1 z v1 1']]);
      assert.deepEqual(await countsByFile(visits), { 'z v1': [1, 1, 0, 0] });
    });
  });

  describe('with bad rows', () => {
    const good = written('a', 'v1', ...Array.from({ length: 9 }, (_, n) => [`${n}`, 0] as const));
    const bad = written('b', 'v1', 'bad');

    it('measures them beside all that would be visible', async () => {
      await load(visits, [good]);
      const planned = await plan(visits, [good, bad]);
      await stage(visits, planned, [bad]);
      const { parsed, quarantined } = await publish(visits, planned.loadId, { quarantineLimit: 0.1 });
      assert.deepEqual([parsed, quarantined], [10, 1]);
    });

    it('is rejected over the limit, says which, and leaves what readers see', async () => {
      await load(visits, [good]);
      const worse = written('c', 'v1', ['x', 0], 'bad', 'bad');
      const planned = await plan(visits, [good, worse]);
      await stage(visits, planned, [worse]);
      await assert.rejects(publish(visits, planned.loadId, { quarantineLimit: 0.1 }), {
        type: 'TooManyBadRows',
        message:
          `2 of 12 rows of delivery ${visits.delivery} could not be read (16.7 %; quarantineLimit is 10 %). This load ` +
          `was not published; what readers see stays. The first is line 2 of c: no session. The rows are in ` +
          `landfall.quarantine (load ${planned.loadId}): mend their cause or raise the limit, then reprocess.`,
      });
      assert.deepEqual(
        [(await sessions()).length, await countsByFile(visits)],
        [9, { 'a v1': [9, 9, 0, 0] }],
      );
      await pool.query('delete from landfall.quarantine where load_id = $1', [planned.loadId]);
    });

    it('names one of those that readers have, where it has none itself', async () => {
      await load(visits, [bad]);
      const planned = await plan(visits, [bad, c]);
      await stage(visits, planned, [c]);
      await assert.rejects(publish(visits, planned.loadId, { quarantineLimit: 0.1 }), {
        message: /^1 of 2 rows .* The first is line 1 of b: no session\./,
      });
    });

    it('keeps those of the files that it keeps', async () => {
      await load(visits, [good, bad]);
      await load(visits, [good, bad, written('c', 'v1', ['x', 0])]);
      const { rows } = await pool.query<{ load: string; line: string }>(
        `select l.state as load, q.line from landfall.quarantine q join landfall.load l on l.id = q.load_id
         where l.delivery_id = $1`,
        [visits.delivery],
      );
      assert.deepEqual(rows, [{ load: 'published', line: '1' }]);
    });
  });

  it('says when a version has fewer rows than the one before', async () => {
    await load(visits, [a, written('b', 'v1', ['2', 0], ['3', 0])]);
    const fewer = [a, written('b', 'v2', ['2', 0])];
    const planned = await plan(visits, fewer);
    await stage(visits, planned, fewer);
    const { notice } = await publish(visits, planned.loadId, { onlyGrows: true });
    assert.match(notice ?? '', /^This version has 2 rows, 1 fewer than the one before/);
    const more = await plan(visits, [...fewer, c]);
    await stage(visits, more, [c]);
    assert.equal((await publish(visits, more.loadId, { onlyGrows: true })).notice, undefined);
  });

  describe('is published exactly once', () => {
    const again = written('b', 'v2', ['1', 0], ['2', 3], 'bad');

    it('whoever does so twice, or at the same time', async () => {
      await load(visits, [written('a', 'v1', ['5', 1]), b]);
      const planned = await plan(visits, [again]);
      await stage(visits, planned, [again]);
      const answers = await Promise.all([1, 2, 3].map(() => publish(visits, planned.loadId)));
      answers.push(await publish(visits, planned.loadId));
      for (const { files, parsed, loaded, quarantined } of answers) {
        assert.deepEqual([files, parsed, loaded, quarantined], [2, 4, 3, 1]);
      }
      assert.deepEqual(await sessions(), ['1: b v2 1', '2: b v2 2', '5: a v1 1']);
    });

    it('and what breaks off half-way leaves everything as it was', async () => {
      await load(visits, [a, b]);
      const planned = await plan(visits, [again]);
      await stage(visits, planned, [again]);
      const state = async (): Promise<unknown> => [
        ...[await seen(visits), await countsByFile(visits), await loads(), await stagingTables(pool)],
      ];
      const before = await state();
      const broken: Target = {
        ...visits.target,
        tables: [...visits.target.tables.slice(0, 1), { name: 'away', key: [] }] as never,
      };
      await pool.query(`create unlogged table ${stagingNames(planned.loadId, 'away').table} ()`);
      await assert.rejects(publish({ ...visits, target: broken }, planned.loadId), /away/);
      await pool.query(`drop table ${stagingNames(planned.loadId, 'away').table}`);
      assert.deepEqual(await state(), before);
      await publish(visits, planned.loadId);
      assert.deepEqual(await sessions(), ['1: b v2 1', '2: b v2 2']);
    });

    it('and not where a crash of Postgres has emptied what was staged', async () => {
      await load(visits, [a]);
      const planned = await plan(visits, [a, b]);
      await stage(visits, planned, [b]);
      await pool.query(`truncate ${stagingNames(planned.loadId, 'item').table}`);
      await assert.rejects(publish(visits, planned.loadId), {
        type: 'StagingLost',
        message: /holds 0 rows of item where 1 were reported/,
      });
      assert.deepEqual(await sessions(), ['1: a v1 1']);
    });

    it('and all at one instant', async () => {
      await load(visits, [b]);
      const planned = await plan(visits, [again]);
      await stage(visits, planned, [again]);
      const reader = await pool.connect();
      await reader.query('begin isolation level repeatable read');
      const count = `select (select count(*) from ${visits.source}.session), (select count(*) from ${visits.source}.item)`;
      const before = await reader.query(count);
      await publish(visits, planned.loadId);
      assert.deepEqual((await reader.query(count)).rows, before.rows);
      await reader.query('rollback');
      reader.release();
    });
  });

  it('writes sessions in the order of their files, and what belongs to them in that of its keys', async () => {
    const files = [written('a', 'v1', ['3', 2], ['1', 1]), written('b', 'v1', ['4', 1], ['2', 2])];
    await load(visits, files);
    const inPlace = async (table: string, columns: string): Promise<string[]> => {
      const { rows } = await pool.query<{ told: string }>(
        `select concat_ws(' ', ${columns}) as told from ${visits.source}.${table} order by ctid`,
      );
      return rows.map(({ told }) => told);
    };
    assert.deepEqual(await inPlace('session', 'session_id'), ['3', '1', '4', '2']);
    assert.deepEqual(await inPlace('item', 'session_id, ordinal'), [
      '1 1',
      '2 1',
      '2 2',
      '3 1',
      '3 2',
      '4 1',
    ]);
  });

  it('keeps an entry of the ledger for each file, and not one for each load', async () => {
    const files = Array.from({ length: 12 }, (_, n) => written(`f${n}`, 'v1', [`${n}`, 0]));
    for (let count = 1; count <= files.length; count += 1) await load(visits, files.slice(0, count));
    const { rows } = await pool.query<{ n: string }>(
      `select count(*) as n from landfall.load_file lf join landfall.load l on l.id = lf.load_id where l.delivery_id = $1`,
      [visits.delivery],
    );
    assert.equal(rows[0]?.n, '12');
    assert.equal((await loads()).at(-2), 'replaced 11 10 11 11', 'an earlier load keeps its counters');
  });
});
