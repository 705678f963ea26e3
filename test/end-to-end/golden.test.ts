import assert from 'node:assert/strict';

import { DuckDBInstance, type JS } from '@duckdb/node-api';

import { optimizelyTables, type OptimizelyType } from '../../vendors/optimizely/tables.js';
import { load } from '../support/delivery.js';
import { assertConsistent } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';
import { needsRealSample, realParts, sampleDate } from '../vendors/optimizely/real-sample.js';

const deliveries = [
  { type: 'decisions', table: 'decision', rows: 9_001 },
  { type: 'events', table: 'conversion', rows: 11_109 },
] as const;

/** Full Stack and Web ran one experiment each. */
const [fullStack, web] = ['18156943409', '18142600572'];
const entity = '15776040040';

describe('the export that Optimizely published, by the way of the product', function () {
  this.timeout(120_000);
  let source: TestSource;

  before(async function () {
    needsRealSample(this);
    source = await testSource();
    // Below this lie the types, as below the store's prefix.
    await source.upload(realParts('events').split('type=events')[0]!);
  });
  after(async () => source?.drop());

  for (const { type, table, rows } of deliveries) {
    describe(type, () => {
      let written: Record<string, JS>[];
      let loaded: Record<string, unknown>[];

      it(`${rows.toLocaleString('en')} rows become final`, async () => {
        const result = await load(source, type, sampleDate);
        assert.equal(result.finality, 'final');
        assert.deepEqual(
          { ...result.counts, bytes: undefined },
          { files: 1, bytes: undefined, parsed: rows, loaded: rows, quarantined: 0, duplicate: 0 },
        );
        written = await readParts(type);
        loaded = await source.database.pool
          .query<Record<string, unknown>>(`select * from experiments.${table} order by _line`)
          .then((result) => result.rows);
        assert.equal(loaded.length, rows);
        await assertConsistent(source.database.pool);
      });

      for (const column of optimizelyTables[type].columns) {
        it(`${column.name} has every value of the file`, () => {
          assert.deepEqual(
            loaded.map((row) => row[column.name]),
            written.map((row) => row[column.field]),
          );
        });
      }

      it('says of every row where it came from', async () => {
        const { rows: found } = await source.database.pool.query(
          `select export_date::text, partition_value, _extra, f.key, min(_line), max(_line), count(distinct _line)
           from experiments.${table} t join landfall.file f on f.id = t._file_id group by 1, 2, 3, 4`,
        );
        assert.equal(found.length, 1);
        const { key, ...same } = found[0] as { key: string };
        assert.match(key, new RegExp(`^type=${type}/date=${sampleDate}/part-[^/]+\\.parquet$`));
        assert.deepEqual(same, {
          export_date: sampleDate,
          partition_value: null,
          _extra: null,
          min: '1',
          max: String(rows),
          count: String(rows),
        });
      });
    });
  }

  describe('gives the metrics that were published for it', () => {
    const metric = async (call: string): Promise<unknown[][]> =>
      (
        await source.database.pool.query<unknown[]>({
          text: `select * from experiments.${call} order by 1, 2`,
          rowMode: 'array',
        })
      ).rows;

    it('decisions between the two known instants', async () => {
      const { rows } = await source.database.pool.query(
        'select min(timestamp), max(timestamp), count(distinct uuid) as uuids from experiments.decision',
      );
      assert.deepEqual(rows, [
        {
          min: new Date('2020-05-25T22:27:33.085Z'),
          max: new Date('2020-05-25T23:03:33.085Z'),
          uuids: '9001',
        },
      ]);
    });

    it('events of 6,230 visitors, their revenue and value', async () => {
      const { rows } = await source.database.pool.query(
        `select count(distinct visitor_id) as visitors, sum(revenue) as revenue, round(sum(value)::numeric, 5) as value,
                array_agg(distinct (entity_id, event_name)) as events
         from experiments.conversion`,
      );
      assert.deepEqual(rows, [
        {
          visitors: '6230',
          revenue: '2316000',
          value: '2316000.02316',
          events: `{"(${entity},add_to_cart)"}`,
        },
      ]);
    });

    it('unique visitors, Full Stack', async () => {
      assert.deepEqual(await metric('unique_visitors_full_stack()'), [
        [fullStack, '18112613000', '4487'],
        [fullStack, '18174970251', '4514'],
      ]);
    });

    it('unique visitors, Web', async () => {
      assert.deepEqual(await metric('unique_visitors_web()'), [
        [web, '18130191769', '972'],
        [web, '18159011346', '963'],
        [fullStack, '18112613000', '4487'],
        [fullStack, '18174970251', '4514'],
      ]);
    });

    it('total conversions', async () => {
      assert.deepEqual(await metric('total_conversions()'), [
        [web, '18130191769', entity, '2958'],
        [web, '18159011346', entity, '2919'],
        [fullStack, '18112613000', entity, '2577'],
        [fullStack, '18174970251', entity, '2655'],
      ]);
    });
  });
});

/** The rows of a type's parts in JavaScript values, as the driver gives those of Postgres; DuckDB alone has read them. */
async function readParts(type: OptimizelyType): Promise<Record<string, JS>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(
      `select * from read_parquet('${realParts(type)}', hive_partitioning = false, file_row_number = true)
       order by file_row_number`,
    );
    const fields = optimizelyTables[type].columns;
    return reader.getRowObjectsJS().map((row) => {
      const values = fields.map(({ field, type: columnType }): [string, JS] => {
        const value = row[field] ?? null;
        // bigint comes as text from the driver, which keeps it exact; a map is an object in JSON.
        if (typeof value === 'bigint' && columnType === 'bigint') return [field, String(value)];
        if (field === 'tags' && Array.isArray(value)) return [field, asObject(value)];
        return [field, value];
      });
      return Object.fromEntries(values);
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function asObject(map: readonly JS[]): JS {
  return Object.fromEntries((map as { key: string; value: JS }[]).map(({ key, value }) => [key, value]));
}
