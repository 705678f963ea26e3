import assert from 'node:assert/strict';

import { optimizelyTables, type OptimizelyType } from '../../../vendors/optimizely/tables.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { columnsOf, expected, ours, silentIn, tableOf, type CatalogColumn } from '../catalog.js';
import { createTables } from './load-parquet.js';

const ofFile: readonly CatalogColumn[] = [
  { name: 'export_date', type: 'date', nullable: false },
  { name: 'partition_value', type: 'text', nullable: true },
];

describe('the tables of an Optimizely source', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTables(database.pool, 'experiments');
  });
  after(async () => database.drop());

  for (const type of Object.keys(optimizelyTables) as OptimizelyType[]) {
    const table = optimizelyTables[type];

    it(`${table.name} has the vendor's fields in their order, all but the key nullable, and ours behind`, async () => {
      assert.deepEqual(await columnsOf(database.pool, 'experiments', table.name), [
        ...expected(table.columns, [table.key]),
        ...ofFile,
        ...ours,
      ]);
    });

    it(`${table.name} is partitioned by export_date and has one key and no other index`, async () => {
      const there = await tableOf(database.pool, 'experiments', table.name);
      assert.deepEqual(there, {
        partitions: 'LIST (export_date)',
        indexes: [
          `CREATE UNIQUE INDEX ${table.name}_pkey ON ONLY experiments.${table.name} USING btree (export_date, uuid)`,
        ],
        foreignKeys: 0,
      });
    });
  }

  it('everything says what it is: tables, columns, views and functions have comments', async () => {
    const silent = await silentIn(database.pool, 'experiments');
    assert.deepEqual(
      silent.filter(({ of, name }) => !(of === 'view' && name.includes('.'))),
      [],
    );
  });
});
