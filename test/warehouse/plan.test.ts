import assert from 'node:assert/strict';

import type { LoadPlan } from '../../warehouse/plan-load.js';
import type { PlannedFile } from '../../warehouse/plan-request.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { assertSound, file, loads, plan as planIn, prepareDelivery, publish, stageAll } from './planning.js';

describe('the plan of a load', function () {
  this.timeout(60_000);
  let database: TestDatabase;

  beforeEach(async () => {
    database = await testDatabase();
    await prepareDelivery(database.pool);
  });
  afterEach(async () => {
    await assertSound(database.pool);
    await database.drop();
  });

  const plan = (files: readonly PlannedFile[], request: string, force = false): Promise<LoadPlan> =>
    planIn(database.pool, files, { request, force });
  const states = async (): Promise<string[]> => (await loads(database.pool)).map(({ state }) => state);

  it('asked for twice is the same load', async () => {
    const first = await plan([file('a'), file('b'), file('c')], 'run/load-0');
    const second = await plan([file('a'), file('b'), file('c')], 'run/load-0');
    assert.deepEqual(second, first);
    assert.deepEqual([first.files, first.bytes, first.batches, first.published], [3, 30, 2, false]);
  });

  it('is joined by whoever plans the same files', async () => {
    const [one, other] = await Promise.all([plan([file('a')], 'one'), plan([file('a')], 'other')]);
    assert.equal(one.loadId, other.loadId);
    assert.deepEqual(await states(), ['staging']);
  });

  it('gives way to one of other files, and its table goes', async () => {
    await plan([file('a', 'v1')], 'run/load-0');
    await plan([file('a', 'v2')], 'run/load-1');
    assert.deepEqual(await states(), ['abandoned', 'staging']);
  });

  it('repeated after the files changed is a new load, and repeated again that same one', async () => {
    const first = await plan([file('a', 'v1')], 'run/load-0');
    const second = await plan([file('a', 'v2')], 'run/load-0');
    const third = await plan([file('a', 'v2')], 'run/load-0');
    assert.notEqual(second.loadId, first.loadId);
    assert.equal(third.loadId, second.loadId);
  });

  it('by force begins anew, though the same files are being staged', async () => {
    await plan([file('a')], 'run/load-0');
    const forced = await plan([file('a')], 'run/load-1', true);
    assert.deepEqual(await states(), ['abandoned', 'staging']);
    assert.equal((await plan([file('a')], 'run/load-1', true)).loadId, forced.loadId);
  });

  it('of the very files that readers see is published already', async () => {
    const first = await plan([file('a')], 'run/load-0');
    await stageAll(database.pool, first.loadId);
    await publish(database.pool, first.loadId);
    const again = await plan([file('a')], 'run/load-1');
    assert.deepEqual([again.loadId, again.published], [first.loadId, true]);
    assert.equal((await plan([file('a')], 'run/load-2', true)).published, false);
    assert.deepEqual(await states(), ['published', 'staging']);
  });

  it('of no files is a plan too', async () => {
    const empty = await plan([], 'run/load-0');
    assert.deepEqual([empty.files, empty.batches], [0, 0]);
  });
});
