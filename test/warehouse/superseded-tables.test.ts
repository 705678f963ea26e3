import assert from 'node:assert/strict';

import { monetate } from '../../vendors/monetate/vendor.js';
import { fillNewness } from '../../warehouse/fill-newness.js';
import { supersededTable } from '../../warehouse/names.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { deliveryOf, load, openVisits, written } from './adding.js';

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
    const source = { name: 'long', vendor: 'monetate', schema };
    await prepareSource(database.pool, source, monetate.scripts);
    await database.pool.query(`alter table ${schema}.session_offer add column later numeric(9, 2)`);
    await prepareSource(database.pool, source, monetate.scripts);
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
    const visits = await openVisits(database.pool);
    const other = await deliveryOf(visits, '2026-11-19');
    const key = (at: string): string => `2026/11/20/20261120T${at}00.000Z_PT15M-1.json.gz`;
    await load(visits, [written(key('0300'), 'v1', ['1', 1])]);
    await load(other, [written(key('0200'), 'v1', ['2', 1])]);
    await database.pool.query('update landfall.load_file set newness = null');
    assert.equal(await fillNewness(database.pool, { name: visits.source, vendor: 'monetate' }), 2);
    assert.equal(await fillNewness(database.pool, { name: visits.source, vendor: 'monetate' }), 0);
    const { rows } = await database.pool.query('select newness from landfall.load_file order by 1');
    assert.deepEqual(rows, [
      { newness: '2026-11-20T02:15:00.000Z 2026-11-20T02:00:00.000Z' },
      { newness: '2026-11-20T03:15:00.000Z 2026-11-20T03:00:00.000Z' },
    ]);
  });
});
