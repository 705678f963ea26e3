import assert from 'node:assert/strict';

import type pg from 'pg';

import { openPool } from '../../warehouse/pool.js';
import { transaction } from '../../warehouse/transaction.js';
import { endingPostgres, type EndingPostgres, type EndOfConnection } from '../support/ending-postgres.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

/** An 'error' event that nobody hears is thrown, and fails the test that runs. */
describe('connections to Postgres', () => {
  let database: TestDatabase;
  let postgres: EndingPostgres;
  let pool: pg.Pool;
  before(async () => {
    database = await testDatabase();
    postgres = await endingPostgres(database.url);
  });
  beforeEach(() => (pool = openPool(postgres.url, 2)));
  afterEach(() => pool.end());
  after(async () => {
    await postgres.stop();
    await database.drop();
  });

  const one = async (): Promise<unknown> => (await pool.query<{ one: number }>('select 1 as one')).rows[0];

  for (const end of ['when ready', 'when ready, with a reset'] as const satisfies EndOfConnection[]) {
    describe(`that end ${end}`, () => {
      it('are followed by others, on which the statement is done', async () => {
        postgres.endNext(end, end);
        assert.deepEqual(await one(), { one: 1 });
        assert.equal(postgres.left(), 0);
      });

      it('fail what wants them after a few attempts, and nothing else', async () => {
        postgres.endNext(end, end, end);
        await assert.rejects(transaction(pool, () => Promise.resolve()));
        assert.deepEqual(await one(), { one: 1 });
      });

      it('and that nobody uses yet', async () => {
        postgres.endNext(end);
        const client = await pool.connect();
        await assert.rejects(client.query('select 1'));
        client.release(true);
        assert.deepEqual(await one(), { one: 1 });
      });
    });
  }

  for (const end of ['while it starts', 'without a word', 'with nonsense'] as const) {
    it(`that end ${end} fail what wants them, and nothing else`, async () => {
      postgres.endNext(end);
      await assert.rejects(one());
      assert.deepEqual(await one(), { one: 1 });
    });
  }

  it('that end in the middle of a transaction fail it at its next statement', async () => {
    const failed = transaction(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      const gone = new Promise((resolve) => client.once('end', resolve));
      await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await gone;
      await client.query('select 1');
    });
    await assert.rejects(failed);
    assert.deepEqual(await one(), { one: 1 });
  });

  it('that end while they are idle are replaced', async () => {
    await Promise.all([one(), one()]);
    await database.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    assert.deepEqual(await Promise.all([one(), one()]), [{ one: 1 }, { one: 1 }]);
  });
});
