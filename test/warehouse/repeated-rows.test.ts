import assert from 'node:assert/strict';

import { stagingNames } from '../../warehouse/names.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { Target } from '../../warehouse/target.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { countColumns, countsOf, date, file, inPages } from './planning.js';
import { createSessionTables } from './session-tables.js';

const source = 'repeated';
const id = `${source}/${date}`;
const children = ['action', 'event', 'error', 'property', 'tag'];
const tables: Target['tables'] = [
  { name: 'session', key: ['tenant_id', 'session_id'] },
  ...children.map((name) => ({ name, key: ['tenant_id', 'session_id', 'ordinal'] })),
];
const sessions = 5_000;

/** Of every session two lines that say the same and a later one that says something else, each with a row in every table. */
describe('a load in which thousands of sessions are there three times', function () {
  // Where each row is compared with all others, publishing takes more than an hour.
  this.timeout(120_000);
  let database: TestDatabase;

  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  for (const adds of [false, true]) {
    it(`is published in a minute, ${adds ? 'where files are added to a delivery' : 'where a load replaces its delivery'}`, async () => {
      const target: Target = { schema: source, date, how: 'merge', tables, ...(adds ? { adds } : {}) };
      const loadId = await stage(database, target);
      await publishLoad(database.pool, {
        ...{ loadId, deliveryId: id, target, quarantineLimit: 1, onlyGrows: false },
        ...{ finality: 'final', reason: 'by hand' },
      });
      const { rows } = await database.pool.query<{ counts: string[] }>(
        `select ${countColumns} as counts from landfall.load_file lf where lf.load_id = $1`,
        [loadId],
      );
      assert.deepEqual(
        rows.map(({ counts }) => countsOf(counts)),
        [[3 * sessions, sessions, 0, 0, 2 * sessions, 0]],
      );
      for (const { name } of tables) {
        const { rows: said } = await database.pool.query(
          `select count(*)::integer as count, min(says) as says from ${source}.${name}`,
        );
        assert.deepEqual(said, [{ count: sessions, says: 'other' }], name);
      }
    });
  }
});

/** Stages rows that Postgres knows nothing of yet, as those that were just copied. */
async function stage({ pool }: TestDatabase, target: Target): Promise<string> {
  await createSessionTables(pool, source, 'dynatrace', target);
  await openDelivery(pool, { id, source, type: 'sessions', date }, 0);
  const { loadId } = await planLoad(pool, {
    ...{ deliveryId: id, source, target, request: 'load-0', force: false },
    ...{ marker: () => undefined, files: inPages([file('a')]), limits: { files: 2, bytes: 1e9 } },
    newness: () => date,
  });
  for (const { name } of tables) {
    const ordinal = name === 'session' ? '' : ', 1';
    await pool.query(
      `insert into ${stagingNames(loadId, name).table}
       select 'tenant', 'session-' || n${ordinal}, case copy when 2 then 'other' else 'same' end, f.id,
              copy * ${sessions} + n
       from landfall.file f, generate_series(0, 2) copy, generate_series(1, ${sessions}) n`,
    );
  }
  await pool.query(
    `update landfall.load_file
     set staged_at = now(), rows_parsed = $2, rows_loaded = $2, rows_quarantined = 0, rows_duplicate = 0, rows_by_table = $3
     where load_id = $1`,
    [loadId, 3 * sessions, Object.fromEntries(tables.map(({ name }) => [name, 3 * sessions]))],
  );
  return loadId;
}
