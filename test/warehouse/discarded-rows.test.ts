import assert from 'node:assert/strict';

import type pg from 'pg';

import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { supersededTable } from '../../warehouse/names.js';
import { sweepQuarantine } from '../../warehouse/sweep-quarantine.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { deliveryOf, load, openVisits, plan, publish, seen, stage, written, type Visits } from './adding.js';

describe('rows of a discarded delivery', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  let visits: Visits;

  before(async () => {
    database = await testDatabase();
    pool = database.pool;
  });
  beforeEach(async () => {
    visits = await openVisits(pool);
  });
  after(() => database.drop());

  const discard = ({ delivery, target }: Visits): Promise<string> =>
    discardDelivery(pool, { deliveryId: delivery, target, reason: 'a legal request', request: 'discard' });
  const quarantined = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ state: string }>(
      `select l.state from landfall.quarantine q join landfall.load l on l.id = q.load_id where l.delivery_id = $1`,
      [visits.delivery],
    );
    return rows.map(({ state }) => state).sort();
  };
  const a = written('a', 'v1', ['1', 1], 'bad');
  const worse = [a, written('b', 'v1', 'bad', 'bad')];

  it('are nowhere: not in the quarantine of a load that is visible, rejected or under way, nor in what errors quote', async () => {
    await load(visits, [a]);
    const rejected = await plan(visits, worse);
    await stage(visits, rejected, worse);
    await assert.rejects(publish(visits, rejected.loadId, { quarantineLimit: 0.1 }), {
      type: 'TooManyBadRows',
    });
    const under = await plan(visits, [...worse, written('c', 'v1', 'bad')]);
    await stage(visits, under, [...worse, written('c', 'v1', 'bad')]);
    assert.deepEqual(new Set(await quarantined()), new Set(['published', 'rejected', 'staging']));
    await discard(visits);
    assert.deepEqual(await quarantined(), []);
    assert.deepEqual(await seen(visits), []);
    const { rows } = await pool.query<{ text: string }>(
      `select first_error as text from landfall.load_file lf join landfall.load l on l.id = lf.load_id
       where l.delivery_id = $1 and first_error is not null
       union all select reason from landfall.load where delivery_id = $1 and reason like '%no session%'
       union all select reason from landfall.delivery_event where delivery_id = $1 and reason like '%no session%'`,
      [visits.delivery],
    );
    assert.deepEqual(rows, []);
    const told = await pool.query<{ reason: string }>(
      `select reason from landfall.load where delivery_id = $1 and id = $2`,
      [visits.delivery, rejected.loadId],
    );
    assert.match(told.rows[0]!.reason, /could not be read .* stays\. The rows are in landfall\.quarantine/);
  });

  it('are not kept where nobody sees them; rows that they had taken the place of are back, and both histories say so', async () => {
    const older = await deliveryOf(visits, '2026-11-19');
    const newer = await deliveryOf(visits, '2026-11-21');
    await load(older, [written('x', 'v1', ['1', 2], ['9', 0])]);
    await load(newer, [written('y', 'v1', ['3', 1])]);
    await load(visits, [written('z', 'v1', ['1', 1], ['3', 1])]);
    await discard(visits);
    for (const table of [undefined, 'session', 'item']) {
      const { rows } = await pool.query(`select from ${supersededTable(visits.source, table)}`);
      assert.equal(rows.length, 0, table);
    }
    assert.deepEqual(
      (await seen(visits)).map(([id, says]) => `${id} ${says}`),
      ['1 x v1 1', '3 y v1 1', '9 x v1 2'],
    );
    const { rows } = await pool.query<{ told: string }>(
      `select split_part(delivery_id, '/', 2) || ' ' || kind || ': ' || reason as told from landfall.delivery_event
       where kind in ('discarded', 'restored') and delivery_id like $1 order by id`,
      [`${visits.source}/%`],
    );
    assert.deepEqual(
      rows.map(({ told }) => told.replaceAll(`${visits.source}/`, '')),
      [
        '2026-11-20 discarded: a legal request 1 row is visible again that it had newer copies of, from 2026-11-19: ' +
          'discard these too if the rows must not be seen.',
        '2026-11-19 restored: 1 row of it is visible again: 2026-11-20, which had newer copies, was discarded.',
      ],
    );
  });

  it('that a crash has left are swept up by the next plan, and by setup', async () => {
    const orphan = async (): Promise<void> => {
      await pool.query(
        `insert into landfall.quarantine (load_id, file_id, line, reason, raw)
         select l.id, lf.file_id, 7, 'left behind', 'x' from landfall.load l join landfall.load_file lf on lf.load_id = l.id
         where l.delivery_id = $1 and l.state = 'abandoned'`,
        [visits.delivery],
      );
    };
    await plan(visits, [a]);
    const planned = await plan(visits, worse);
    await stage(visits, planned, worse);
    await orphan();
    assert.deepEqual(await quarantined(), ['abandoned', 'staging', 'staging', 'staging']);
    await plan(visits, worse);
    assert.deepEqual(await quarantined(), ['staging', 'staging', 'staging'], 'what is under way stays');
    await orphan();
    assert.equal(await sweepQuarantine(pool), 1);
    assert.equal(await sweepQuarantine(pool), 0);
    assert.equal((await quarantined()).length, 3);
  });
});
