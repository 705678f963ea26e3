import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { writeNotices } from '../../warehouse/notices.js';
import { prefix, type TestSource } from '../support/landfall.js';
import { megaphoneSource } from '../support/megaphone.js';
import { withSteps, type Steps } from '../support/steps.js';

const date = '2026-03-01';

describe('notices of a version', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await megaphoneSource();
  });
  afterEach(() => source.drop());

  /** Loads a version of the day with these rows, by their ids; others are lines that cannot be read. */
  async function load(
    steps: Steps,
    request: string,
    ids: readonly string[],
    bad = 0,
    of = date,
  ): Promise<void> {
    const lines = [...ids.map((id) => JSON.stringify({ id })), ...Array<string>(bad).fill('no JSON')];
    await source.bucket.put(`${prefix}metrics-day-${of}.json.gz`, gzipSync(`${lines.join('\n')}\n`));
    const plan = await steps.plan(request);
    await steps.stageAll(plan);
    await steps.publish(plan);
  }
  const steps = <T>(work: (steps: Steps) => Promise<T>): Promise<T> =>
    withSteps(source, 'metrics', date, work);
  const visibleNotice = async (): Promise<unknown> =>
    (await source.rows('select notice from landfall.delivery'))[0]?.['notice'];
  const notices = (): Promise<Record<string, unknown>[]> =>
    source.rows('select kind, text, load_id is not null as of_load from landfall.notice order by id');

  it('says that a row is gone where another one came, by its key', async () => {
    await steps(async (day) => {
      await load(day, 'a', ['1', '2', '3']);
      assert.deepEqual(await notices(), []);
      await load(day, 'b', ['1', '2', '4', '5']);
    });
    const [notice] = await notices();
    assert.match(
      String(notice?.['text']),
      /^This version has 4 rows, and lacks some of the one before \(load \d+\), though the vendor promises that none are removed\. 1 row is missing by id: 3\.$/,
    );
    assert.deepEqual([notice?.['kind'], notice?.['of_load']], ['removed', true]);
    assert.equal(await visibleNotice(), notice?.['text']);
  });

  it('tells of the rows of its own day where a month has one partition, and holds a version there', async () => {
    const other = '2026-03-02';
    await source.rows(
      `create table experiments.metric_march partition of experiments.metric for values in ('${date}', '${other}')`,
    );
    await withSteps(source, 'metrics', other, (day) => load(day, 'other', ['1', '3', '7'], 0, other));
    await steps(async (day) => {
      await load(day, 'a', ['1', '2', '3']);
      await load(day, 'b', ['1', '2', '4']);
      await assert.rejects(load(day, 'c', ['1']), { type: 'HeldForReview' });
    });
    const [notice, ...more] = await notices();
    assert.match(String(notice?.['text']), /1 row is missing by id: 3\.$/);
    assert.deepEqual(more, []);
    const visible = await source.rows(
      `select export_date::text as day, string_agg(id, ' ' order by id) as ids from experiments.metric_march group by 1 order by 1`,
    );
    assert.deepEqual(visible, [
      { day: date, ids: '1 2 4' },
      { day: other, ids: '1 3 7' },
    ]);
  });

  it('counts the rows that are gone, and names the first of them', async () => {
    const ids = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, index) => `id-${String(from + index).padStart(3, '0')}`);
    await steps(async (day) => {
      await load(day, 'a', ids(0, 200));
      await load(day, 'b', ids(50, 240), 1);
    });
    const [notice] = await notices();
    assert.match(
      String(notice?.['text']),
      /has 191 rows, 9 fewer than the one before .* 50 rows are missing by id: id-000, id-001, id-002, …\. Some may be among what is in its quarantine \(1 of its rows\)\.$/,
    );
  });

  it('stay when the next version has none', async () => {
    await steps(async (day) => {
      await load(day, 'a', ['1', '2', '3']);
      await load(day, 'b', ['1', '2', '4']);
      await load(day, 'c', ['1', '2', '4', '5']);
    });
    assert.equal(await visibleNotice(), null);
    assert.equal((await notices()).length, 1);
  });

  it('are written once, also when they are acknowledged by then', async () => {
    await steps((day) => load(day, 'a', ['1']));
    const { pool } = source.database;
    const [{ id, load: loadId } = {}] = await source.rows(
      'select d.id, l.id as load from landfall.delivery d join landfall.load l on l.delivery_id = d.id',
    );
    const write = (text: string): Promise<void> =>
      writeNotices(pool, String(id), String(loadId), [{ kind: 'unreadable', text }]);
    await write('One file cannot be read.');
    await pool.query('update landfall.notice set acknowledged_at = now()');
    await write('One file cannot be read.');
    await write('Two files cannot be read.');
    assert.deepEqual(
      (await notices()).map(({ text }) => text),
      ['One file cannot be read.', 'Two files cannot be read.'],
    );
  });

  it('of rows without a key of their own tell by their number', async () => {
    await source.drop();
    source = await megaphoneSource({ types: ['impressions'] });
    await withSteps(source, 'impressions', date, async (day) => {
      for (const rows of [3, 2]) {
        const text = `${JSON.stringify({ metric_id: 'm' })}\n`.repeat(rows);
        await source.bucket.put(`${prefix}impression-day-${date}.json.gz`, gzipSync(text));
        const plan = await day.plan(String(rows));
        await day.stageAll(plan);
        await day.publish(plan);
      }
    });
    const [notice] = await notices();
    assert.match(
      String(notice?.['text']),
      /^This version has 2 rows, 1 fewer than the one before \(load \d+\)/,
    );
    assert.doesNotMatch(String(notice?.['text']), /missing by/);
  });
});
