import assert from 'node:assert/strict';

import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables, exampleMetric, putRows } from './rows.js';

type Change = Partial<Record<keyof typeof exampleMetric, unknown>>;

/** A name that has to be quoted: views must not depend on it, nor on the search_path. */
const schema = 'A "b" c';
const quoted = '"A ""b"" c"';

/** Not reported, by the vendor's rule, beside one that is; null is what a field that was left out becomes. */
const rule: readonly (readonly [title: string, reported: boolean, change: Change])[] = [
  ['60 seconds', true, { seconds_downloaded: 60 }],
  ['59 seconds', false, { seconds_downloaded: 59 }],
  ['no seconds', false, { seconds_downloaded: 0 }],
  ['more seconds than the episode has', true, { seconds_downloaded: 999_999 }],
  ['unknown seconds', false, { seconds_downloaded: null }],
  ['a blacklisted address', false, { blacklisted_ip: true }],
  ['a blacklisted user agent', false, { blacklisted_ua: true }],
  ['both blacklisted', false, { blacklisted_ip: true, blacklisted_ua: true }],
  ['nothing said of the address', false, { blacklisted_ip: null }],
  ['nothing said of the user agent', false, { blacklisted_ua: null }],
  ['neither podcast nor episode', true, { podcast_id: null, episode_id: null }],
  ['no address', true, { ip: null }],
];

describe("metrics that count in Megaphone's reports", function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTables(database.pool, schema);
  });
  after(async () => database.drop());

  const rowsOf = async (sql: string): Promise<unknown[][]> => {
    const { rows } = await database.pool.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows;
  };

  describe('"seconds_downloaded >= 60 and blacklisted_ip = false and blacklisted_ua = false"', () => {
    before(async () => {
      const rows = rule.map(([title, , change]) => ({ ...exampleMetric, ...change, id: title }));
      await putRows(database.pool, schema, 'metric', '2026-11-01', rows);
    });

    for (const [title, reported] of rule) {
      it(`${title}: ${reported ? 'reported' : 'not reported'}`, async () => {
        const { rowCount } = await database.pool.query(
          `select 1 from ${quoted}.reported_metric where export_date = '2026-11-01' and id = $1`,
          [title],
        );
        assert.equal(rowCount, reported ? 1 : 0);
      });
    }

    it('the view has every column of the table, in its order', async () => {
      const columns = async (name: string): Promise<unknown[][]> =>
        rowsOf(`select column_name, data_type from information_schema.columns
                where table_schema = 'A "b" c' and table_name = '${name}' order by ordinal_position`);
      assert.deepEqual(await columns('reported_metric'), await columns('metric'));
    });
  });

  describe('a day by podcast and episode', () => {
    const [p1, p2] = ['podcast-1', 'podcast-2'];
    const metrics: readonly Change[] = [
      { podcast_id: p1, episode_id: 'a', ip: '1', user_agent: 'x', seconds_downloaded: 60, bytes_sent: 10 },
      // The same client once more.
      { podcast_id: p1, episode_id: 'a', ip: '1', user_agent: 'x', seconds_downloaded: 100, bytes_sent: 10 },
      { podcast_id: p1, episode_id: 'a', ip: '1', user_agent: 'y', seconds_downloaded: 70, bytes_sent: 10 },
      { podcast_id: p1, episode_id: 'a', ip: '2', user_agent: null, seconds_downloaded: 70, bytes_sent: 10 },
      // Counts as a download, but nobody knows whose.
      {
        podcast_id: p1,
        episode_id: 'a',
        ip: null,
        user_agent: 'x',
        seconds_downloaded: 70,
        bytes_sent: null,
      },
      { podcast_id: p1, episode_id: 'a', ip: '3', user_agent: 'x', seconds_downloaded: 59, bytes_sent: 10 },
      {
        podcast_id: p1,
        episode_id: 'b',
        ip: '1',
        user_agent: 'x',
        seconds_downloaded: null,
        bytes_sent: null,
      },
      { podcast_id: p2, episode_id: 'c', ip: '4', user_agent: 'bot', blacklisted_ua: true, bytes_sent: 7 },
      { podcast_id: p2, episode_id: 'd', ip: '5', user_agent: 'x', blacklisted_ip: null, bytes_sent: 7 },
      { podcast_id: null, episode_id: null, ip: '6', user_agent: 'x', seconds_downloaded: 61, bytes_sent: 7 },
    ];
    before(async () => {
      const rows = metrics.map((change, index) => ({ ...exampleMetric, ...change, id: String(index) }));
      await putRows(database.pool, schema, 'metric', '2026-11-02', rows);
      await putRows(database.pool, schema, 'metric', '2026-11-03', rows.slice(0, 1));
      await putRows(database.pool, schema, 'metric', '2026-11-04', []);
    });

    it('counts downloads as reported, beside all requests', async () => {
      const found = await rowsOf(
        `select podcast_id, episode_id, downloads, requests, clients, seconds_downloaded, bytes_sent
         from ${quoted}.daily_episode where export_date = '2026-11-02' order by 1, 2`,
      );
      assert.deepEqual(found, [
        [p1, 'a', '5', '6', '3', '370', '50'],
        [p1, 'b', '0', '1', '0', '0', '0'],
        [p2, 'c', '0', '1', '0', '0', '7'],
        [p2, 'd', '0', '1', '0', '0', '7'],
        [null, null, '1', '1', '1', '61', '7'],
      ]);
    });

    it('keeps days apart, and has nothing of an empty one', async () => {
      const found = await rowsOf(
        `select export_date::text, episode_id, downloads from ${quoted}.daily_episode
         where export_date > '2026-11-02'`,
      );
      assert.deepEqual(found, [['2026-11-03', 'a', '1']]);
    });

    it('agrees with the reported metrics on every day', async () => {
      const found = await rowsOf(
        `select export_date, podcast_id, episode_id, downloads, seconds_downloaded
         from ${quoted}.daily_episode where downloads > 0
         except
         select export_date, podcast_id, episode_id, count(*), sum(seconds_downloaded)
         from ${quoted}.reported_metric group by 1, 2, 3`,
      );
      assert.deepEqual(found, []);
      const [sums] = await rowsOf(
        `select (select sum(downloads) from ${quoted}.daily_episode) = (select count(*) from ${quoted}.reported_metric),
                (select sum(requests) from ${quoted}.daily_episode) = (select count(*) from ${quoted}.metric)`,
      );
      assert.deepEqual(sums, [true, true]);
    });

    it('reads only the days that are asked for', async () => {
      for (const view of ['daily_episode', 'reported_metric']) {
        const plan = await rowsOf(
          `explain (costs off) select * from ${quoted}.${view} where export_date = '2026-11-03'`,
        );
        const text = plan.flat().join('\n');
        assert.ok(text.includes('metric_2026-11-03') && !text.includes('metric_2026-11-02'), text);
      }
    });
  });
});
