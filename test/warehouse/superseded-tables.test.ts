import assert from 'node:assert/strict';

import { monetate } from '../../vendors/monetate/vendor.js';
import { fillNewness } from '../../warehouse/fill-newness.js';
import { supersededTable } from '../../warehouse/names.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { headers, loadJob, prepareJobs, shard, source, target } from './jobs.js';

describe('tables of copies that readers do not see', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());

  const columns = async (table: string): Promise<string[]> => {
    const { rows } = await database.pool.query<{ told: string }>(
      `select attname || ' ' || format_type(atttypid, atttypmod) as told from pg_attribute
       where attrelid = $1::regclass and attnum > 0 order by attname`,
      [table],
    );
    return rows.map(({ told }) => told);
  };

  it('have the columns of those that they do, also what these get later, however long their names are', async () => {
    const schema = 's'.repeat(63);
    const long = { name: 'long', vendor: 'monetate', schema };
    await prepareSource(database.pool, long, monetate.scripts);
    await database.pool.query(`alter table ${schema}.session_offer add column later numeric(9, 2)`);
    await prepareSource(database.pool, long, monetate.scripts);
    for (const { name } of monetate.landing('sessions').tables) {
      const store = supersededTable(schema, name);
      assert.deepEqual(await columns(store), await columns(`${schema}.${name}`));
      const { rows } = await database.pool.query<{ n: number }>(
        'select count(*)::int as n from pg_index where indrelid = $1::regclass',
        [store],
      );
      assert.deepEqual(rows, [{ n: 2 }], 'by key and by file');
    }
  });

  it('can be filled though deliveries were published before it was known how new they are', async () => {
    const { pool } = database;
    const jobs = { name: source, vendor: 'leanplum', schema: target.schema } as const;
    await prepareJobs(pool);
    for (const job of ['1', '2']) {
      await loadJob(pool, job, [
        shard(job, 'sessions-0', headers.sessions, `7,${job}`, `${job},x`),
        shard(job, 'userattributes-0', headers.attributes, '7,a,b'),
      ]);
    }
    // As the version before has left it: what was replaced is gone, and counted as if it were there.
    await pool.query(`
      truncate ${[undefined, ...target.tables.map(({ name }) => name)].map((name) => supersededTable(target.schema, name)).join()};
      delete from landfall.superseded;
      update landfall.load_file set newness = null, rows_loaded = rows_parsed, rows_superseded = 0;
      update landfall.load set rows_loaded = rows_parsed, rows_superseded = 0 where state = 'published'`);
    assert.equal(await fillNewness(pool, jobs), 2);
    assert.equal(await fillNewness(pool, jobs), 0);
    const { rows } = await pool.query<{ told: string }>(
      `select concat_ws(' ', split_part(f.key, '-output', 2), lf.rows_loaded, lf.rows_superseded, left(lf.newness, 10)) as told
       from landfall.load_file lf join landfall.file f on f.id = lf.file_id order by lf.load_id, f.key collate "C"`,
    );
    const newness = '2026-11-20';
    assert.deepEqual(
      rows.map(({ told }) => told),
      [
        `sessions-0 1 1 ${newness}`,
        `userattributes-0 0 1 ${newness}`,
        `sessions-0 2 0 ${newness}`,
        `userattributes-0 1 0 ${newness}`,
      ],
    );
    const events = await pool.query<{ reason: string }>(
      `select reason from landfall.delivery_event where kind = 'note'`,
    );
    assert.equal(events.rows.length, 1);
    assert.match(
      events.rows[0]!.reason,
      /^2 of its rows were replaced by other deliveries' before copies were kept\./,
    );
  });
});
