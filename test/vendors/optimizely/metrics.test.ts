import assert from 'node:assert/strict';

import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables, loadParquet, query } from './load-parquet.js';
import { needsRealSample, realParts, sampleDate } from './real-sample.js';

/** Full Stack and Web ran one experiment each. */
const [fullStack, web] = ['18156943409', '18142600572'];
const entity = '15776040040';

describe("the vendor's metrics on its published sample", function () {
  this.timeout(60_000);
  let database: TestDatabase;

  before(async function () {
    needsRealSample(this);
    database = await testDatabase();
    // A name that has to be quoted: functions and views must not depend on it, nor on the search_path.
    await createTables(database.pool, 'A "b" c');
    for (const type of ['decisions', 'events'] as const) {
      await loadParquet(database.pool, 'A "b" c', type, sampleDate, realParts(type));
    }
  });
  after(async () => database?.drop());

  /** Rows in order, as arrays; bigint comes as text, which is how the driver keeps it exact. */
  const rows = async (from: string, parameters: readonly unknown[] = []): Promise<unknown[][]> => {
    const { rows: found } = await database.pool.query<unknown[]>({
      text: `select * from "A ""b"" c".${from} order by 1, 2`,
      values: [...parameters],
      rowMode: 'array',
    });
    return found;
  };

  it('decisions: 9,001 rows between the two known instants', async () => {
    const { rows: found } = await database.pool.query(
      `select count(*), count(distinct uuid) as uuids, min(timestamp), max(timestamp) from "A ""b"" c".decision`,
    );
    assert.deepEqual(found, [
      {
        count: '9001',
        uuids: '9001',
        min: new Date('2020-05-25T22:27:33.085Z'),
        max: new Date('2020-05-25T23:03:33.085Z'),
      },
    ]);
  });

  it('events: 11,109 rows of 6,230 visitors, all add_to_cart', async () => {
    const { rows: found } = await database.pool.query(
      `select count(*), count(distinct visitor_id) as visitors, sum(revenue) as revenue,
              round(sum(value)::numeric, 5) as value,
              array_agg(distinct entity_id) as entities, array_agg(distinct event_name) as names
       from "A ""b"" c".conversion`,
    );
    assert.deepEqual(found, [
      {
        count: '11109',
        visitors: '6230',
        revenue: '2316000',
        value: '2316000.02316',
        entities: [entity],
        names: ['add_to_cart'],
      },
    ]);
  });

  it('unique visitors, Full Stack: from decisions', async () => {
    assert.deepEqual(await rows('unique_visitors_full_stack()'), [
      [fullStack, '18112613000', '4487'],
      [fullStack, '18174970251', '4514'],
    ]);
  });

  it('unique visitors, Web: from decisions and events', async () => {
    assert.deepEqual(await rows('unique_visitors_web()'), [
      [web, '18130191769', '972'],
      [web, '18159011346', '963'],
      [fullStack, '18112613000', '4487'],
      [fullStack, '18174970251', '4514'],
    ]);
  });

  it('total conversions', async () => {
    assert.deepEqual(await rows('total_conversions()'), [
      [web, '18130191769', entity, '2958'],
      [web, '18159011346', entity, '2919'],
      [fullStack, '18112613000', entity, '2577'],
      [fullStack, '18174970251', entity, '2655'],
    ]);
  });

  it('revenue and value add up to those of the attributed events', async () => {
    const sum = async (metric: string): Promise<number> =>
      (await rows(`${metric}()`)).reduce((total, row) => total + Number(row[3]), 0);
    assert.equal(await sum('total_revenue'), 2_316_000);
    assert.equal((await sum('total_value')).toFixed(5), '2316000.02316');
  });

  it('all of them agree with a count made from the files themselves', async () => {
    const expected = await query(`
      select e.experiment_id as experiment, e.variation_id as variation, entity_id as entity,
        count(distinct visitor_id)::varchar as visitors, count(*)::varchar as conversions,
        sum(revenue)::varchar as revenue, round(sum(value), 5) as value
      from (select unnest(experiments) as e, * from read_parquet('${realParts('events')}'))
      group by all order by 1, 2`);
    const { rows: found } = await database.pool.query(
      `select experiment_id as experiment, variation_id as variation, entity_id as entity,
              unique_conversions as visitors, total_conversions as conversions, total_revenue as revenue,
              round(total_value::numeric, 5)::float8 as value
       from "A ""b"" c".unique_conversions()
       join "A ""b"" c".total_conversions() using (experiment_id, variation_id, entity_id)
       join "A ""b"" c".total_revenue() using (experiment_id, variation_id, entity_id)
       join "A ""b"" c".total_value() using (experiment_id, variation_id, entity_id)
       order by 1, 2`,
    );
    assert.equal(found.length, 4);
    assert.deepEqual(found, expected);
  });

  it('experiment_results says the same side by side', async () => {
    const results = await rows('experiment_results()');
    const visitors = new Map((await rows('unique_visitors_full_stack()')).map((row) => [row[1], row[2]]));
    const single = async (metric: string): Promise<unknown[]> =>
      (await rows(`${metric}()`)).map((row) => row.at(-1));
    const column = (index: number): unknown[] => results.map((row) => row[index]);
    assert.deepEqual(
      column(2),
      results.map((row) => visitors.get(row[1]) ?? '0'),
    );
    assert.deepEqual(column(3), await single('unique_visitors_web'));
    assert.deepEqual(column(4), await single('unique_conversions'));
    assert.deepEqual(column(5), await single('total_conversions'));
    assert.deepEqual(column(6), await single('total_revenue'));
    const rounded = (values: unknown[]): string[] => values.map((value) => Number(value).toFixed(5));
    assert.deepEqual(rounded(column(7)), rounded(await single('total_value')));
  });

  it('windows include both ends', async () => {
    const [first, last] = ['2020-05-25T22:27:33.085Z', '2020-05-25T23:03:33.085Z'];
    const visitors = async (from: string, to: string): Promise<number> =>
      (await rows('unique_visitors_full_stack($1, $2)', [from, to])).reduce(
        (sum, row) => sum + Number(row[2]),
        0,
      );
    assert.equal(await visitors(first, last), 9001);
    assert.equal(await visitors(first, first), 1);
    assert.equal(await visitors(last, last), 1);
    assert.equal(await visitors(last, first), 0);
    assert.equal(await visitors('2020-05-26', '2020-05-27'), 0);
  });

  it('an entity limits conversions, never visitors', async () => {
    assert.deepEqual(
      await rows(`experiment_results(entity => $1)`, [entity]),
      await rows('experiment_results()'),
    );
    assert.deepEqual(await rows(`total_conversions(entity => 'none')`), []);
    assert.deepEqual(await rows(`experiment_results(entity => 'none')`), [
      [web, '18130191769', '0', '972', '0', '0', '0', 0],
      [web, '18159011346', '0', '963', '0', '0', '0', 0],
      [fullStack, '18112613000', '4487', '4487', '0', '0', '0', 0],
      [fullStack, '18174970251', '4514', '4514', '0', '0', '0', 0],
    ]);
  });

  it('attribution by time agrees with a join made from the files themselves', async () => {
    const expected = await query(`
      with decision as (select * from read_parquet('${realParts('decisions')}') where not is_holdback),
      unit as (
        select experiment_id, visitor_id, min(timestamp) as decided_at, arg_min(variation_id, timestamp) as variation_id
        from decision group by all
      ),
      observed as (
        select u.experiment_id, u.variation_id, u.visitor_id,
          count(e.uuid) as conversions, coalesce(sum(e.revenue), 0) as revenue
        from unit u left join read_parquet('${realParts('events')}') e
          on e.visitor_id = u.visitor_id and e.timestamp >= decided_at and e.timestamp <= decided_at + interval 48 hours
        group by all
      )
      select experiment_id, variation_id, count(*)::varchar as units,
        (count(*) filter (conversions > 0))::varchar as unique_conversions,
        sum(conversions)::varchar as total_conversions, sum(revenue)::varchar as total_revenue,
        round(avg(revenue), 9) as mean_revenue
      from observed group by all order by 1, 2`);
    const { rows: found } = await database.pool.query(
      `select experiment_id, variation_id, units, unique_conversions, total_conversions, total_revenue,
              round(mean_revenue::numeric, 9)::float8 as mean_revenue
       from "A ""b"" c".attributed_results() order by 1, 2`,
    );
    assert.deepEqual(found, expected);
    assert.deepEqual(
      found.map((row) => row['units']),
      ['4487', '4514'],
    );
  });
});
