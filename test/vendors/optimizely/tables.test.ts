import assert from 'node:assert/strict';

import { optimizelyTables, type OptimizelyType } from '../../../vendors/optimizely/tables.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables } from './load-parquet.js';

const ours = [
  { name: 'export_date', type: 'date', nullable: 'NO' },
  { name: 'partition_value', type: 'text', nullable: 'YES' },
  { name: '_file_id', type: 'bigint', nullable: 'NO' },
  { name: '_line', type: 'bigint', nullable: 'NO' },
  { name: '_extra', type: 'jsonb', nullable: 'YES' },
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
      const { rows } = await database.pool.query(
        `select column_name as name,
                case data_type when 'timestamp with time zone' then 'timestamptz' else data_type end as type,
                is_nullable as nullable
         from information_schema.columns
         where table_schema = 'experiments' and table_name = $1 order by ordinal_position`,
        [table.name],
      );
      const vendors = table.columns.map(({ name, type: columnType }) => ({
        name,
        type: columnType,
        nullable: name === table.key ? 'NO' : 'YES',
      }));
      assert.deepEqual(rows, [...vendors, ...ours]);
    });

    it(`${table.name} is partitioned by export_date and has one key and no other index`, async () => {
      const { rows } = await database.pool.query(
        `select pg_get_partkeydef(c.oid) as partitions,
                array(select pg_get_indexdef(indexrelid) from pg_index where indrelid = c.oid) as indexes
         from pg_class c where oid = ('experiments.' || $1)::regclass`,
        [table.name],
      );
      assert.deepEqual(rows, [
        {
          partitions: 'LIST (export_date)',
          indexes: [
            `CREATE UNIQUE INDEX ${table.name}_pkey ON ONLY experiments.${table.name} USING btree (export_date, uuid)`,
          ],
        },
      ]);
    });
  }

  it('everything says what it is: tables, columns, views and functions have comments', async () => {
    const { rows } = await database.pool.query(
      `select c.relname || coalesce('.' || a.attname, '') as silent
       from pg_class c
       left join lateral (
         select attname, attnum from pg_attribute
         where attrelid = c.oid and attnum > 0 and c.relkind = 'p'
         union all select null, 0
       ) a on true
       where c.relnamespace = 'experiments'::regnamespace and c.relkind in ('p', 'v')
         and coalesce(case a.attnum when 0 then obj_description(c.oid, 'pg_class')
                                    else col_description(c.oid, a.attnum) end, '') = ''
       union all
       select proname from pg_proc
       where pronamespace = 'experiments'::regnamespace and coalesce(obj_description(oid, 'pg_proc'), '') = ''`,
    );
    assert.deepEqual(rows, []);
  });
});
