import assert from 'node:assert/strict';

import pg from 'pg';

import type { Finding } from '../../client/checks/finding.js';
import { addDays } from '../../model/day.js';
import { openPool } from '../../warehouse/pool.js';
import { openDesk, yamlOf, type Desk } from '../client/landfall-command.js';
import { ownDatabase, type OwnDatabase } from '../support/own-postgres.js';
import { devServer } from '../support/temporal.js';
import { loadDay, makeDays, partitionNames, prepareDays, source, table } from '../warehouse/days.js';

const last = '2026-11-27';
/** Ten years. */
const days = Array.from({ length: 3_650 }, (_, n) => addDays(last, -n));

describe('a table of ten years of days', function () {
  this.timeout(600_000);
  let database: OwnDatabase;
  let desk: Desk;

  before(async () => {
    database = await ownDatabase();
    const { address } = await devServer();
    const yaml = yamlOf(source, `postgres: { url: "${database.url}" }\ntemporal: { taskQueue: ${source} }`);
    desk = await openDesk(yaml, { TEMPORAL_ADDRESS: address });
    await prepareDays(database.pool);
    await makeDays(database.pool, days, 1);
  });
  after(async () => {
    const { environment } = await devServer();
    await environment.client.schedule.getHandle(`${source}/discover`).delete();
    await desk.leave();
    await database.drop();
  });

  /** What six counts of the whole table that run at the same time give. */
  async function countSixTimes(): Promise<unknown[]> {
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect()));
    try {
      await Promise.all(clients.map((client) => client.query('begin')));
      const counts = await Promise.allSettled(
        clients.map((client) => client.query<{ n: number }>(`select count(*)::integer as n from ${table}`)),
      );
      return counts.map((count) =>
        count.status === 'fulfilled' ? count.value.rows[0]?.n : String(count.reason),
      );
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  }

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    return client;
  }

  /** Milliseconds for which a query is planned: the least of several times, since other programs run too. */
  async function planningTime(query: string): Promise<number> {
    const times: number[] = [];
    for (let n = 0; n < 15; n += 1) {
      const client = await connect();
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (summary) ${query}`);
      await client.end();
      const line = rows.map((row) => row['QUERY PLAN']).find((text) => text.startsWith('Planning Time'));
      times.push(Number(line?.match(/[\d.]+/)?.[0]));
    }
    return Math.min(...times);
  }

  const finding = async (): Promise<Finding> => {
    const { out } = await desk.landfall('check', '-o', 'json');
    const found = (JSON.parse(out) as Finding[]).find(({ what }) => what === `partitions of ${source}`);
    assert.ok(found, out);
    return found;
  };

  it('exhausts the lock table with a partition for each, and check has said so before', async () => {
    const { ok, found, mend = '' } = await finding();
    assert.equal(ok, false);
    assert.match(found, /^365\d partitions; a query of all of them takes 730\d locks, of some 6400/);
    assert.match(
      mend,
      /Run 'landfall setup', which puts old days together; or set max_locks_per_transaction = \d{3} \(it is 64\)/,
    );
    assert.match(String(await countSixTimes()), /out of shared memory/);
  });

  it('is put in order by setup, while readers see all of its rows', async () => {
    const seen = new Set<number>();
    let reading = true;
    const reader = (async (): Promise<void> => {
      const client = await connect();
      try {
        while (reading) {
          const { rows } = await client.query<{ n: number }>(
            `select count(*)::integer as n from ${table} where export_date between '2017-01-01' and '2017-12-31'`,
          );
          seen.add(rows[0]!.n);
          // Back to back, these queries would hold the table all the time.
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      } finally {
        await client.end();
      }
    })();
    const { code, out, err } = await desk.landfall('setup').finally(() => (reading = false));
    await reader;
    assert.equal(code, 0, err);
    assert.match(
      out,
      /postgres: table experiments\.conversion: put old days together: 126 months or years\n/,
    );
    assert.match(
      err,
      /table experiments\.conversion: makes 31 partitions of 2017-01 one \(117 left to do\)\n/,
    );
    assert.deepEqual([...seen], [365]);
    assert.ok((await partitionNames(database.pool)).length <= 100);
    assert.equal((await finding()).ok, true);
  });

  it('then is counted six times at once', async () => {
    assert.deepEqual(await countSixTimes(), Array(6).fill(days.length));
  });

  for (const [what, where] of [
    ['days that the query names', `export_date between '2026-10-29' and '2026-11-27'`],
    ['the last days', `export_date > date '${last}' - 30 + (current_date - current_date)`],
    ['days of a year ago', `export_date between '2025-10-29' and '2025-11-27'`],
  ] as const) {
    it(`then plans a dashboard's query of 30 days within 50 ms: ${what}`, async () => {
      const ms = await planningTime(
        `select event_name, count(*), count(distinct visitor_id) from ${table} where ${where} group by event_name`,
      );
      assert.ok(ms < 50, `${ms} ms`);
    });
  }

  it('takes a day anew at any age, and days before all others, without many more partitions', async () => {
    const before = await partitionNames(database.pool);
    const pool = openPool(database.url);
    try {
      for (const day of ['2017-03-05', '2026-11-20', '2015-10-05', '2015-10-06']) {
        await loadDay(pool, day, 3);
      }
    } finally {
      await pool.end();
    }
    assert.deepEqual(await partitionNames(database.pool), ['2015', ...before].sort());
    const { rows } = await database.pool.query<{ n: number }>(`select count(*)::integer as n from ${table}`);
    assert.equal(rows[0]?.n, days.length + 2 + 2 + 3 + 3);
  });
});
