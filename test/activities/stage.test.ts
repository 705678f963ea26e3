import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { createPlan, type Plan, type PlanStep } from '../../activities/plan.js';
import { createStage, type StageStep } from '../../activities/stage.js';
import { nameDay, nameJob } from '../../config/name-delivery.js';
import type { BatchRows } from '../../warehouse/batch-rows.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { openActivities, type OpenActivities } from '../support/activities.js';
import { deliver } from '../support/delivery.js';
import { accessDenied, faultyS3, getOf } from '../support/faulty-s3.js';
import { testSource } from '../support/landfall.js';
import { leanplumSource, type LeanplumSource } from '../support/leanplum.js';

const job = '00000000-0000-4000-8000-000000000001';
const key = (part: number): string => `20261120/export-77-${job}-output-${part}`;

describe('staging from a store that refuses some requests', function () {
  this.timeout(60_000);

  it('is refused where nothing could be staged, and fails by what passes where it went on', async () => {
    const store = await faultyS3();
    const source = await testSource({ through: store.endpoint });
    const { deps, run, close } = openActivities(source);
    try {
      const date = '2026-03-01';
      await deliver(source, { type: 'events', date, rows: 400, parts: 4, folders: false });
      const delivery = nameDay(source.config, 'events', date);
      await openDelivery(deps.pool, delivery, 0);
      const { loadId } = await run<PlanStep, Plan>(createPlan, { delivery, request: 'asked', force: false });
      const stage = (): Promise<BatchRows> =>
        run<StageStep, BatchRows>(createStage, { delivery, loadId, batch: 0 });
      let reads = 0;
      store.fail((request) => getOf('.parquet')(request) && ++reads % 2 === 0, accessDenied, Infinity);
      await assert.rejects(stage(), { name: 'StoreUnavailable', message: /was refused: AccessDenied/ });
      reads = 1;
      await assert.rejects(stage(), { name: 'AccessDenied' });
      await assert.rejects(stage(), { name: 'StoreUnavailable' });
      store.heal();
      assert.equal((await stage()).files, 4);
    } finally {
      await close();
      await source.drop();
      await store.stop();
    }
  });
});

describe('staging files of which one cannot be read', function () {
  this.timeout(60_000);
  let source: LeanplumSource;
  let deps: OpenActivities['deps'];
  let run: OpenActivities['run'];
  let close: OpenActivities['close'];

  beforeEach(async () => {
    source = await leanplumSource();
    ({ deps, run, close } = openActivities(source));
    const whole = gzipSync('{"sessionId":1}\n{"sessionId":2}\n');
    await source.put([
      { key: key(0), bytes: whole },
      { key: key(1), bytes: whole.subarray(0, whole.length - 9) },
      { key: key(2), bytes: gzipSync('{"sessionId":3}\n') },
    ]);
  });
  afterEach(async () => {
    await close();
    await source.drop();
  });

  const plan = async (): Promise<StageStep> => {
    const delivery = nameJob(source.config, 'sessions', '2026-11-20', job);
    await openDelivery(deps.pool, delivery, 0);
    const step = { delivery, request: 'asked', force: false, take: 'all' } as const;
    const { loadId } = await run<PlanStep, Plan>(createPlan, step);
    return { delivery, loadId, batch: 0 };
  };
  const stage = (step: StageStep): Promise<BatchRows> => run<StageStep, BatchRows>(createStage, step);
  const inLedger = () =>
    source.rows(
      `select right(f.key, 2) as part, lf.unreadable, lf.rows_loaded::int as loaded
       from landfall.load_file lf join landfall.file f on f.id = lf.file_id order by 1`,
    );

  it('fails where they come as a whole, and keeps what was staged before', async () => {
    await assert.rejects(stage(await plan()), { name: 'FileUnreadable' });
    assert.deepEqual(await inLedger(), [
      { part: '-0', unreadable: null, loaded: 2 },
      { part: '-1', unreadable: null, loaded: null },
      { part: '-2', unreadable: null, loaded: null },
    ]);
  });

  it('gives a load up whose tables are gone, and the next plan makes another', async () => {
    await source.put([{ key: key(1), bytes: gzipSync('{"sessionId":4}\n') }]);
    const lost = await plan();
    await source.rows(`drop table landfall_staging.load_${lost.loadId}_session`);
    await assert.rejects(stage(lost), { name: 'StagingLost' });
    const again = await plan();
    assert.notEqual(again.loadId, lost.loadId);
    assert.equal((await stage(again)).loaded, 4);
  });
});
