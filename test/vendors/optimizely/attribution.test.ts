import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables } from './load-parquet.js';

describe('metrics on rows made for the rule they show', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let uuid = 0;

  beforeEach(async () => {
    database = await testDatabase();
    await createTables(database.pool, 'shop');
    await database.pool.query(`
      create table shop.decision_day partition of shop.decision default;
      create table shop.conversion_day partition of shop.conversion default`);
  });
  afterEach(async () => database.drop());

  const decision = async (row: {
    visitor: string | null;
    at: string | null;
    experiment?: string | null;
    variation?: string;
    holdback?: boolean | null;
  }): Promise<void> => {
    await database.pool.query(
      `insert into shop.decision
         (uuid, export_date, _file_id, _line, visitor_id, timestamp, experiment_id, variation_id, is_holdback)
       values ($1, '2026-03-01', 1, 1, $2, $3, $4, $5, $6)`,
      [
        `u${++uuid}`,
        row.visitor,
        row.at,
        row.experiment === undefined ? 'x' : row.experiment,
        row.variation ?? 'a',
        row.holdback === undefined ? false : row.holdback,
      ],
    );
  };
  const event = async (row: {
    visitor: string;
    at: string;
    entity?: string | null;
    revenue?: number | null;
    value?: number | null;
    experiments?: unknown;
  }): Promise<void> => {
    await database.pool.query(
      `insert into shop.conversion
         (uuid, export_date, _file_id, _line, visitor_id, timestamp, entity_id, revenue, value, experiments)
       values ($1, '2026-03-01', 1, 1, $2, $3, $4, $5, $6, $7)`,
      [
        `u${++uuid}`,
        row.visitor,
        row.at,
        row.entity === undefined ? 'buy' : row.entity,
        row.revenue ?? null,
        row.value ?? null,
        row.experiments === undefined ? null : JSON.stringify(row.experiments),
      ],
    );
  };
  const select = async (sql: string): Promise<unknown[][]> =>
    (await database.pool.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;

  it('a unit is a visitor with its first decision, of the smaller variation when two are made at once', async () => {
    await decision({ visitor: 'v', at: '2026-03-01T10:00Z', variation: 'b' });
    await decision({ visitor: 'v', at: '2026-03-01T11:00Z', variation: 'a' });
    await decision({ visitor: 'v', at: '2026-03-01T12:00Z', experiment: 'y', variation: 'd' });
    await decision({ visitor: 'v', at: '2026-03-01T12:00Z', experiment: 'y', variation: 'c' });
    assert.deepEqual(
      await select('select experiment_id, visitor_id, variation_id from shop.experiment_unit() order by 1'),
      [
        ['x', 'v', 'b'],
        ['y', 'v', 'c'],
      ],
    );
    const later = `select variation_id from shop.experiment_unit('2026-03-01T10:30Z', '2026-03-01T11:30Z')`;
    assert.deepEqual(await select(later), [['a']]);
  });

  it('holdbacks, and decisions without visitor, experiment or time, make no unit', async () => {
    await decision({ visitor: 'held', at: '2026-03-01T10:00Z', holdback: true });
    await decision({ visitor: 'unknown', at: '2026-03-01T10:00Z', holdback: null });
    await decision({ visitor: null, at: '2026-03-01T10:00Z' });
    await decision({ visitor: 'v', at: null });
    await decision({ visitor: 'v', at: '2026-03-01T10:00Z', experiment: null });
    assert.deepEqual(await select('select * from shop.experiment_unit()'), []);
  });

  it('an event counts from the decision to 48 hours later, both included', async () => {
    await decision({ visitor: 'v', at: '2026-03-01T10:00Z' });
    const times = ['01T09:59:59.999Z', '01T10:00:00Z', '03T10:00:00Z', '03T10:00:00.001Z'];
    for (const at of times) await event({ visitor: 'v', at: `2026-03-${at}` });
    await event({ visitor: 'another', at: '2026-03-01T11:00Z' });
    const counted = `select to_char(timestamp at time zone 'UTC', 'DD"T"HH24:MI:SS') from shop.attributed_event()`;
    assert.deepEqual(await select(`${counted} order by 1`), [['01T10:00:00'], ['03T10:00:00']]);
    assert.deepEqual(await select(`select count(*) from shop.attributed_event(within => '1 hour')`), [['1']]);
    // The window is that of the decisions: an event 48 hours after its end still belongs to them.
    const window = `'2026-03-01T10:00Z', '2026-03-01T10:00Z'`;
    assert.deepEqual(await select(`select count(*) from shop.attributed_event(${window})`), [['2']]);
  });

  it('48 hours stay 48 hours where clocks are changed', async () => {
    await decision({ visitor: 'v', at: '2026-03-28T12:00Z' });
    await event({ visitor: 'v', at: '2026-03-30T12:00Z' });
    const client = await database.pool.connect();
    try {
      await client.query(`set timezone = 'Europe/Berlin'`);
      const { rows } = await client.query('select total_conversions from shop.attributed_results()');
      assert.deepEqual(rows, [{ total_conversions: '1' }]);
    } finally {
      client.release(true);
    }
  });

  it('a visitor who did nothing is observed as 0, so that means are over all units', async () => {
    for (const visitor of ['one', 'two', 'three', 'four'])
      await decision({ visitor, at: '2026-03-01T10:00Z' });
    await event({ visitor: 'one', at: '2026-03-01T11:00Z', revenue: 1000, value: 2.5 });
    await event({ visitor: 'one', at: '2026-03-01T12:00Z', revenue: 500 });
    await event({ visitor: 'two', at: '2026-03-01T12:00Z', entity: 'look', revenue: 100 });
    const observed = `select visitor_id, conversions, revenue, value from shop.observation(entity => 'buy') order by 1`;
    assert.deepEqual(await select(observed), [
      ['four', '0', '0', 0],
      ['one', '2', '1500', 2.5],
      ['three', '0', '0', 0],
      ['two', '0', '0', 0],
    ]);
    assert.deepEqual(await select(`select * from shop.attributed_results(entity => 'buy')`), [
      ['x', 'a', '4', '1', '2', '1500', 2.5, 0.25, 0.5, 375, 0.625],
    ]);
    assert.deepEqual(
      await select('select units, unique_conversions, total_revenue from shop.attributed_results()'),
      [['4', '2', '1600']],
    );
  });

  it('experiments that are absent, empty, null or hold a null entry attribute nothing', async () => {
    for (const experiments of [undefined, null, [], [null]]) {
      await event({ visitor: 'v', at: '2026-03-01T10:00Z', experiments });
    }
    await event({
      visitor: 'v',
      at: '2026-03-01T10:00Z',
      experiments: [null, { experiment_id: 'x', variation_id: 'a' }],
    });
    assert.deepEqual(await select('select * from shop.total_conversions()'), [['x', 'a', 'buy', '1']]);
  });

  it('an event counts once for each of its experiments, holdback or not', async () => {
    const experiments = [
      { experiment_id: 'x', variation_id: 'a', is_holdback: false },
      { experiment_id: 'y', variation_id: 'c', is_holdback: true },
    ];
    await event({ visitor: 'v', at: '2026-03-01T10:00Z', revenue: 700, experiments });
    assert.deepEqual(
      await select('select experiment_id, total_revenue from shop.total_revenue() order by 1'),
      [
        ['x', '700'],
        ['y', '700'],
      ],
    );
    assert.deepEqual(
      await select('select experiment_id, is_holdback from shop.conversion_experiment order by 1'),
      [
        ['x', false],
        ['y', true],
      ],
    );
  });

  it('a visitor held back is no visitor by decisions', async () => {
    await decision({ visitor: 'held', at: '2026-03-01T10:00Z', holdback: true });
    await decision({ visitor: 'v', at: '2026-03-01T10:00Z' });
    await decision({ visitor: 'v', at: '2026-03-01T11:00Z' });
    assert.deepEqual(await select('select * from shop.unique_visitors_full_stack()'), [['x', 'a', '1']]);
    assert.deepEqual(await select('select * from shop.unique_visitors_web()'), [['x', 'a', '1']]);
  });

  it('a visitor of two variations counts once in the totals of the experiment', async () => {
    for (const [visitor, variation] of [
      ['both', 'a'],
      ['both', 'b'],
      ['one', 'a'],
    ] as const) {
      await decision({ visitor, experiment: 'x', variation, at: '2026-03-01T10:00Z' });
      const experiments = [{ experiment_id: 'x', variation_id: variation }];
      await event({ visitor, at: '2026-03-01T11:00Z', experiments });
    }
    const columns = 'unique_visitors_full_stack, unique_visitors_web, unique_conversions, total_conversions';
    assert.deepEqual(
      await select(`select variation_id, ${columns} from shop.experiment_results() order by 1`),
      [
        ['a', '2', '2', '2', '2'],
        ['b', '1', '1', '1', '1'],
      ],
    );
    assert.deepEqual(await select(`select experiment_id, ${columns} from shop.experiment_totals()`), [
      ['x', '2', '2', '2', '3'],
    ]);
  });

  it('events without an entity are a line of their own, and no asked-for entity is theirs', async () => {
    const experiments = [{ experiment_id: 'x', variation_id: 'a' }];
    await event({ visitor: 'v', at: '2026-03-01T10:00Z', entity: null, experiments });
    assert.deepEqual(await select('select entity_id, total_conversions from shop.total_conversions()'), [
      [null, '1'],
    ]);
    const results = (asked: string): string =>
      `select total_conversions from shop.experiment_results(${asked})`;
    assert.deepEqual(await select(results('')), [['1']]);
    assert.deepEqual(await select(results(`entity => 'buy'`)), [['0']]);
  });

  it('the scripts of views and functions can be run again', async () => {
    await createTables(database.pool, 'again');
    for (const name of ['metrics.sql', 'metrics-by-time.sql']) {
      const text = await readFile(
        new URL(`../../../vendors/optimizely/sql/${name}`, import.meta.url),
        'utf8',
      );
      await database.pool.query(`begin; set local search_path = again; ${text}; commit`);
    }
    assert.deepEqual(await select('select * from again.experiment_results()'), []);
  });
});
