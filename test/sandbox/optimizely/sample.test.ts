import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeSampleExport, type SampleExport } from '../../../sandbox/optimizely/sample.js';
import { dayPrefix } from '../../../vendors/optimizely/layout.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables, loadParquet } from '../../vendors/optimizely/load-parquet.js';

/** Without the rows that a load quarantines or finds twice. */
const loadable = `
  where not coalesce(contains(referer, chr(0)), false)
  qualify row_number() over (partition by uuid) = 1`;

describe('the sample export', function () {
  this.timeout(60_000);
  let directory: string;
  let sample: SampleExport;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'landfall-sample-'));
    sample = await writeSampleExport({ directory, lastDay: '2026-03-03' });
  });
  after(async () => rm(directory, { recursive: true }));

  it('is what the first page of the guide promises: five complete deliveries, one empty, and one that waits', () => {
    const told = sample.deliveries.map(
      ({ type, date, complete, rows, quarantined, duplicates }) =>
        `${type} ${date} ${complete ? 'complete' : 'uploading'} ${rows} ${quarantined} ${duplicates}`,
    );
    assert.deepEqual(told, [
      'decisions 2026-03-01 complete 2400 0 0',
      'events 2026-03-01 complete 4000 2 3',
      'decisions 2026-03-02 complete 0 0 0',
      'events 2026-03-02 complete 3200 0 0',
      'decisions 2026-03-03 complete 2700 0 0',
      'events 2026-03-03 uploading 1500 0 0',
    ]);
  });

  it('has the same results every time', () => {
    assert.deepEqual(
      sample.results.map((row): unknown[] => Object.values(row)),
      [
        ['30110000001', '30120000011', 586, 703, 224, 278, 3459000, 34590],
        ['30110000001', '30120000012', 624, 741, 233, 285, 3432925, 34329.25],
        ['30110000002', '30120000021', 479, 588, 172, 219, 2657800, 26578],
        ['30110000002', '30120000022', 488, 627, 193, 229, 2828600, 28286],
      ],
    );
  });

  it('experiment_results finds those in Postgres', async () => {
    const database: TestDatabase = await testDatabase();
    try {
      await createTables(database.pool, 'shop');
      for (const day of sample.deliveries) {
        if (!day.complete || day.parts.length === 0) continue;
        const parts = join(directory, sample.prefix, dayPrefix(day.type, day.date), '*/part-*.parquet');
        await loadParquet(database.pool, 'shop', day.type, day.date, parts, loadable);
      }
      const { rows } = await database.pool.query(
        `select experiment_id as "experimentId", variation_id as "variationId",
           unique_visitors_full_stack::integer as "uniqueVisitorsFullStack",
           unique_visitors_web::integer as "uniqueVisitorsWeb",
           unique_conversions::integer as "uniqueConversions", total_conversions::integer as "totalConversions",
           total_revenue::integer as "totalRevenue", total_value as "totalValue"
         from shop.experiment_results(entity => $1) order by 1, 2`,
        [sample.event.entity],
      );
      assert.deepEqual(rows, sample.results);
    } finally {
      await database.drop();
    }
  });
});
