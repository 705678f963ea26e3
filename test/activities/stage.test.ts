import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { createPlan, type Plan, type PlanStep } from '../../activities/plan.js';
import { createStage, type StageStep } from '../../activities/stage.js';
import { nameJob } from '../../config/name-delivery.js';
import type { BatchRows } from '../../warehouse/batch-rows.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { openActivities, type OpenActivities } from '../support/activities.js';
import { leanplumSource, type LeanplumSource } from '../support/leanplum.js';

const job = '00000000-0000-4000-8000-000000000001';
const key = (part: number): string => `20261120/export-77-${job}-output-${part}`;

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

  /** Plans the job's files and stages them. */
  const stage = async (): Promise<BatchRows> => {
    const delivery = nameJob(source.config, 'sessions', '2026-11-20', job);
    await openDelivery(deps.pool, delivery, 0);
    const step = { delivery, request: 'asked', force: false, take: 'all' } as const;
    const { loadId } = await run<PlanStep, Plan>(createPlan, step);
    return run<StageStep, BatchRows>(createStage, { delivery, loadId, batch: 0 });
  };
  const inLedger = () =>
    source.rows(
      `select right(f.key, 2) as part, lf.unreadable, lf.rows_loaded::int as loaded
       from landfall.load_file lf join landfall.file f on f.id = lf.file_id order by 1`,
    );

  it('fails where they come as a whole, and keeps what was staged before', async () => {
    await assert.rejects(stage(), { name: 'FileUnreadable' });
    assert.deepEqual(await inLedger(), [
      { part: '-0', unreadable: null, loaded: 2 },
      { part: '-1', unreadable: null, loaded: null },
      { part: '-2', unreadable: null, loaded: null },
    ]);
  });
});
