import assert from 'node:assert/strict';

import { megaphoneTables, type MegaphoneType } from '../../../vendors/megaphone/tables.js';
import type { Table } from '../../../vendors/table.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { columnsOf, expected, ours, silentIn, tableOf, type CatalogColumn } from '../catalog.js';
import { createTables, exampleMetric, putRows } from './rows.js';

/** "Current JSON schema is as follows", word for word. */
const schemaOfThePage =
  'country,dma_name,normalized_user_agent,city,ip,created_at,podcast_id,source,filesize,bytes_sent,' +
  'seconds_downloaded,duration,blacklisted_ip,episode_id,blacklisted_ua,id,region,user_agent';

const exportDate: CatalogColumn = { name: 'export_date', type: 'date', nullable: false };

describe('the tables of a Megaphone source', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTables(database.pool, 'podcasts');
  });
  after(async () => database.drop());

  for (const type of Object.keys(megaphoneTables) as MegaphoneType[]) {
    const table: Table = megaphoneTables[type];

    it(`${table.name} has the vendor's fields, all but the key nullable, and ours behind`, async () => {
      assert.deepEqual(await columnsOf(database.pool, 'podcasts', table.name), [
        ...expected(table.columns, [table.key]),
        exportDate,
        ...ours,
      ]);
      assert.deepEqual(table.ofFile, ['export_date']);
    });

    it(`${table.name} is partitioned by export_date and has one key and no other index`, async () => {
      const there = await tableOf(database.pool, 'podcasts', table.name);
      const index = `CREATE UNIQUE INDEX ${table.name}_pkey ON ONLY podcasts.${table.name}`;
      assert.deepEqual(there, {
        partitions: 'LIST (export_date)',
        indexes: [`${index} USING btree (export_date, ${table.key})`],
        foreignKeys: 0,
      });
    });
  }

  it("metric has the 18 fields of the vendor's page", () => {
    const fields = megaphoneTables.metrics.columns.map(({ field }) => field);
    assert.equal(fields.length, 18);
    assert.deepEqual([...fields].sort(), schemaOfThePage.split(',').sort());
  });

  it('impressions have no key of their own, and V2 one field more', () => {
    const names = (type: MegaphoneType): string[] => megaphoneTables[type].columns.map(({ name }) => name);
    assert.equal(megaphoneTables.impressions.key, '_line');
    assert.equal(megaphoneTables['impressions-v2'].key, '_line');
    assert.deepEqual(names('impressions-v2'), [...names('impressions'), 'impression_type']);
  });

  it('a real row fits', async () => {
    await putRows(database.pool, 'podcasts', 'metric', '2022-03-21', [exampleMetric]);
    const { rows } = await database.pool.query<Record<string, unknown>>(
      `select created_at, ip, source, filesize, bytes_sent, seconds_downloaded, duration, blacklisted_ip
       from podcasts.metric`,
    );
    assert.deepEqual(rows, [
      {
        created_at: new Date('2022-03-21T15:19:12Z'),
        // A hash, so no inet; and more was sent than the file is long.
        ...{ ip: 'c19af70f00000000000000000000aaaa', source: '0', filesize: '67332401' },
        ...{ bytes_sent: '149313406', seconds_downloaded: '3720', duration: 1679.36, blacklisted_ip: false },
      },
    ]);
  });

  it('everything says what it is: tables, views and their columns have comments', async () => {
    const silent = await silentIn(database.pool, 'podcasts');
    // The columns of reported_metric are those of metric.
    assert.deepEqual(
      silent.filter(({ name }) => !name.startsWith('reported_metric.')),
      [],
    );
  });
});
