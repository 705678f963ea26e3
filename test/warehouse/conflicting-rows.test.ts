import assert from 'node:assert/strict';

import type pg from 'pg';

import { stagingNames } from '../../warehouse/names.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { countColumns, countsOf, date, file, id, plan, prepareDelivery, target } from './planning.js';

/** Revenue by uuid, line by line. */
type Part = readonly (readonly [uuid: string, revenue: number])[];

describe('rows of a day with one key', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;

  beforeEach(async () => {
    database = await testDatabase();
    pool = database.pool;
    await prepareDelivery(pool);
  });
  afterEach(() => database.drop());

  /** Parts by key, the ones written later being named first. */
  async function load(parts: Readonly<Record<string, Part>>): Promise<Record<string, number[]>> {
    const keys = Object.keys(parts);
    const { loadId } = await plan(
      pool,
      keys.toSorted().map((key) => file(key)),
      { newness: ({ key }) => `t${9 - keys.indexOf(key)}` },
    );
    for (const [key, rows] of Object.entries(parts)) {
      await pool.query(
        `with put as (
           insert into ${stagingNames(loadId, 'conversion').table} (export_date, uuid, revenue, _file_id, _line)
           select $1, r.uuid, r.revenue, f.id, r.line
           from landfall.file f, unnest($3::text[], $4::bigint[]) with ordinality as r (uuid, revenue, line)
           where f.key = $2
         )
         update landfall.load_file lf
         set staged_at = now(), rows_parsed = $5, rows_loaded = $5, rows_quarantined = 0, rows_duplicate = 0,
             rows_by_table = jsonb_build_object('conversion', $5::bigint)
         from landfall.file f where f.id = lf.file_id and f.key = $2`,
        [date, key, rows.map(([uuid]) => uuid), rows.map(([, revenue]) => revenue), rows.length],
      );
    }
    await publishLoad(pool, {
      ...{ loadId, deliveryId: id, target, quarantineLimit: 0, onlyGrows: false },
      ...{ finality: 'final', reason: 'by hand' },
    });
    const { rows } = await pool.query<{ key: string; counts: string[] }>(
      `select f.key, ${countColumns} as counts from landfall.load_file lf join landfall.file f on f.id = lf.file_id
       where lf.load_id = $1 order by f.key`,
      [loadId],
    );
    return Object.fromEntries(rows.map(({ key, counts }) => [key, countsOf(counts)]));
  }
  const revenues = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ told: string }>(
      `select uuid || ' ' || revenue || ' ' || _line as told from experiments.conversion order by uuid`,
    );
    return rows.map(({ told }) => told);
  };

  it('that say something else: the file written last counts, or the later line; the others are in the quarantine', async () => {
    const counts = await load({
      a: [
        ['re-run', 999],
        ['alone', 1],
      ],
      b: [
        ['re-run', 100],
        ['lines', 10],
        ['lines', 20],
      ],
    });
    assert.deepEqual(await revenues(), ['alone 1 2', 'lines 20 3', 're-run 999 1']);
    assert.deepEqual(counts, { a: [2, 2, 0, 0], b: [3, 1, 0, 0, 2, 0] });
    const { rows } = await pool.query<{ line: string; reason: string; raw: string }>(
      'select line, reason, raw from landfall.quarantine order by line',
    );
    assert.deepEqual(
      rows.map(({ line, reason }) => `${line}: ${reason}`),
      [
        '1: another row has the same uuid and says something else; line 1 of a is the newest and counts',
        '2: another row has the same uuid and says something else; line 3 is the newest and counts',
      ],
    );
    assert.deepEqual(JSON.parse(rows[0]!.raw), { export_date: date, uuid: 're-run', revenue: 100 });
  });

  it('that say the same: the first stays, whenever it was written', async () => {
    const counts = await load({
      b: [
        ['x', 1],
        ['x', 1],
      ],
      a: [['x', 1]],
      c: [['x', 2]],
    });
    assert.deepEqual(await revenues(), ['x 1 1']);
    assert.deepEqual(counts, { a: [1, 1, 0, 0], b: [2, 0, 0, 2], c: [1, 0, 0, 0, 1, 0] });
  });
});
