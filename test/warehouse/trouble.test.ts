import assert from 'node:assert/strict';

import { recordChange } from '../../warehouse/ledger-change.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { failedDeliveries } from '../../warehouse/failed-deliveries.js';
import {
  countAttempt,
  dropTrouble,
  endTrouble,
  forgetFailure,
  noteFailure,
  noteTrouble,
  type Streak,
  type TroubledStep,
  type TroubleKind,
} from '../../warehouse/trouble.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

const id = 'experiments/events/2026-03-01';
const delivery = { id, source: 'experiments', type: 'events', date: '2026-03-01' };

describe('the ledger’s word on steps that fail', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await database.pool.query(
      `insert into landfall.source (name, vendor, schema_name) values ('experiments', 'optimizely', 'experiments')`,
    );
    await openDelivery(database.pool, delivery, 0);
  });
  afterEach(() => database.drop());

  const stepOf = (name: string, activityId = '1', runId = 'run 1'): TroubledStep => ({
    ...{ workflowId: id, deliveryId: id, source: 'experiments', name, activityId, runId },
  });
  const count = (step: TroubledStep, kind: TroubleKind, attempts = 1): Promise<Streak> =>
    countAttempt(database.pool, step, { kind, attempts, reason: 'It failed.' });
  const fail = async (step: TroubledStep, reason: string, kind: TroubleKind = 'passing'): Promise<void> => {
    await count(step, kind);
    await noteTrouble(database.pool, step, reason, Date.now() + 1_000);
  };
  const row = async (): Promise<Record<string, unknown>> => {
    const { rows } = await database.pool.query<Record<string, unknown>>(
      'select finality, reason, trouble, failure_type, failures from landfall.delivery',
    );
    return rows[0]!;
  };
  const says = async (): Promise<unknown[]> => {
    const { reason, trouble } = await row();
    return [reason, trouble];
  };
  const change = (finality: 'waiting' | 'loading' | 'failed' | 'skipped', reason: string) =>
    recordChange(database.pool, { id, kind: finality, finality, reason, request: reason });
  const publish = () =>
    database.pool.query(
      `update landfall.delivery set finality = 'final', reason = 'Complete.', published_at = now()`,
    );

  it('stands in for the reason until the step succeeds', async () => {
    await fail(stepOf('look'), 'First.');
    await fail(stepOf('look'), 'Second.');
    assert.deepEqual(await says(), ['Second.', 'Second.']);
    await endTrouble(database.pool, stepOf('look'), 'workflow');
    assert.deepEqual(await says(), ['Not looked at yet.', null]);
  });

  it('leaves a reason alone that was written meanwhile', async () => {
    await fail(stepOf('look'), 'First.');
    await change('loading', 'The marker came.');
    assert.deepEqual(await says(), ['The marker came.', null]);
    await endTrouble(database.pool, stepOf('look'), 'workflow');
    await fail(stepOf('stage'), 'Second.');
    await endTrouble(database.pool, stepOf('stage'), 'step');
    assert.deepEqual(await says(), ['The marker came.', null]);
  });

  it('is told beside the reason where rows are visible', async () => {
    await publish();
    await fail(stepOf('look'), 'First.');
    assert.deepEqual(await says(), ['Complete.', 'First.']);
    await endTrouble(database.pool, stepOf('look'), 'workflow');
    assert.deepEqual(await says(), ['Complete.', null]);
  });

  it('of one batch stays while another one succeeds', async () => {
    await fail(stepOf('stage', '7'), 'Seven.');
    await fail(stepOf('stage', '8'), 'Eight.');
    await endTrouble(database.pool, stepOf('stage', '8'), 'step');
    assert.deepEqual(await says(), ['Seven.', 'Seven.']);
    await endTrouble(database.pool, stepOf('stage', '7'), 'step');
    assert.deepEqual(await says(), ['Not looked at yet.', null]);
  });

  it('counts attempts in a row, refused or unexpected, each kind by itself', async () => {
    const step = stepOf('stage');
    assert.deepEqual(await count(step, 'unexpected'), { faults: 1 });
    assert.deepEqual(await count(step, 'unexpected'), { faults: 2 });
    assert.deepEqual(await count(step, 'elsewhere'), { faults: 2 });
    const first = await count(step, 'refused');
    assert.deepEqual(first.faults, 0);
    const second = await count(step, 'refused');
    assert.ok(second.refusedFor! >= first.refusedFor!);
    assert.deepEqual(await count(step, 'passing'), { faults: 0 });
    assert.deepEqual(await count(step, 'unexpected'), { faults: 1 });
    // Another run begins anew, and so does what is refused in it.
    assert.deepEqual(await count(stepOf('stage', '1', 'run 2'), 'unexpected'), { faults: 1 });
  });

  it('of a delivery that fails becomes its reason', async () => {
    await fail(stepOf('look'), 'First.', 'refused');
    await noteFailure(database.pool, stepOf('look'), 'AccessDenied', 'Refused for 30 minutes.');
    await change('failed', 'Refused for 30 minutes.');
    await dropTrouble(database.pool, id);
    assert.deepEqual(await row(), {
      ...{ finality: 'failed', reason: 'Refused for 30 minutes.', trouble: null },
      ...{ failure_type: 'AccessDenied', failures: 1 },
    });
    await endTrouble(database.pool, stepOf('look'), 'workflow');
    assert.deepEqual(await says(), ['Refused for 30 minutes.', null]);
  });

  it('of a final day that could not be loaded again is what was refused from then on', async () => {
    await publish();
    await noteFailure(database.pool, stepOf('plan'), 'AccessDenied', 'Refused.');
    assert.deepEqual(await says(), ['Complete.', 'Refused.']);
    await change('failed', 'Refused.');
    await dropTrouble(database.pool, id);
    assert.deepEqual(await says(), ['Complete.', null]);
    const { rows } = await database.pool.query('select refusal from landfall.delivery');
    assert.deepEqual(rows, [{ refusal: 'It could not be loaded again: Refused.' }]);
  });

  it('waits no longer than two seconds for a row that another step holds', async () => {
    const holder = await database.pool.connect();
    try {
      await holder.query('begin');
      await holder.query('select from landfall.delivery for update');
      await assert.rejects(fail(stepOf('look'), 'First.'), /lock timeout/);
    } finally {
      await holder.query('rollback');
      holder.release();
    }
  });

  describe('is read by the schedule, which takes up again', () => {
    const failing = async (type: string, failures: number, hoursAgo: number): Promise<boolean> => {
      await database.pool.query(
        `update landfall.delivery
         set finality = 'failed', failure_type = $1, failures = $2, failed_at = now() - $3 * interval '1 hour'`,
        [type, failures, hoursAgo],
      );
      return (await failedDeliveries(database.pool, 'experiments', 9)).length === 1;
    };

    it('what was refused: at once, then an hour later each time, six at the most', async () => {
      assert.ok(await failing('AccessDenied', 1, 0));
      assert.ok(!(await failing('AccessDenied', 3, 1.9)));
      assert.ok(await failing('AccessDenied', 3, 2.1));
      assert.ok(!(await failing('AccessDenied', 100, 5.9)));
      assert.ok(await failing('AccessDenied', 100, 6.1));
    });

    it('what met an unexpected error: after an hour', async () => {
      assert.ok(!(await failing('ProgramFault', 1, 0.9)));
      assert.ok(await failing('ProgramFault', 1, 1.1));
    });

    it('nothing that only a person mends, that has gone on since, or that was skipped', async () => {
      assert.ok(!(await failing('ConfigInvalid', 1, 9)));
      assert.ok(await failing('AccessDenied', 2, 9));
      await change('loading', 'Looked at again.');
      await forgetFailure(database.pool, id, false);
      assert.deepEqual(await failedDeliveries(database.pool, 'experiments', 9), []);
      assert.equal((await row())['failures'], 2);
      await forgetFailure(database.pool, id, true);
      assert.equal((await row())['failures'], 0);
      assert.ok(await failing('AccessDenied', 1, 9));
      await change('skipped', 'Not needed.');
      assert.deepEqual(await failedDeliveries(database.pool, 'experiments', 9), []);
    });
  });
});
