import assert from 'node:assert/strict';

import { vendors } from '../../vendors/registry.js';
import { migrate } from '../../warehouse/migrate.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

describe('setting up a source that is called landfall, as the ledger is', () => {
  let database: TestDatabase;

  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());

  it('makes its tables, and may be repeated, the ledger too', async () => {
    const { pool } = database;
    const source = { name: 'landfall', vendor: 'megaphone', schema: 'podcasts' };
    for (let times = 0; times < 2; times += 1) {
      await prepareSource(pool, source, vendors.megaphone.scripts);
      await migrate(pool);
    }
    const { rows } = await pool.query<{ found: boolean }>(
      `select to_regclass('podcasts.metric') is not null as found`,
    );
    assert.deepEqual(rows, [{ found: true }]);
  });
});
