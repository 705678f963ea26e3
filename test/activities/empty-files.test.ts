/** An object without a byte is no file of any vendor, and gzip of nothing is one without rows. */

import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { createPlan, type Plan, type PlanStep } from '../../activities/plan.js';
import { createStage, type StageStep } from '../../activities/stage.js';
import { nameDay, nameJob } from '../../config/name-delivery.js';
import type { Delivery } from '../../model/delivery.js';
import type { BatchRows } from '../../warehouse/batch-rows.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { openActivities } from '../support/activities.js';
import { prefix, type TestSource } from '../support/landfall.js';
import { leanplumSource } from '../support/leanplum.js';
import { megaphoneSource } from '../support/megaphone.js';
import { monetateSource } from '../support/monetate.js';

const date = '2026-11-20';
const job = '00000000-0000-4000-8000-000000000001';

interface Delivered {
  readonly source: TestSource;
  readonly delivery: Delivery;
}

/** Delivers one file with these bytes. */
type Deliver = (bytes: string | Uint8Array) => Promise<Delivered>;

const megaphone: Deliver = async (bytes) => {
  const source = await megaphoneSource();
  await source.bucket.put(`${prefix}metrics-day-${date}.json.gz`, bytes);
  return { source, delivery: nameDay(source.config, 'metrics', date) };
};
const shard =
  (kind: string): Deliver =>
  async (bytes) => {
    const source = await leanplumSource();
    await source.put([{ key: `20261120/export-77-${job}-output${kind}-0`, bytes }]);
    return { source, delivery: nameJob(source.config, 'sessions', date, job) };
  };

describe('an object without a byte', function () {
  this.timeout(60_000);

  const staged = async ({ source, delivery }: Delivered): Promise<BatchRows> => {
    const { deps, run, close } = openActivities(source);
    try {
      await openDelivery(deps.pool, delivery, 0);
      const step: PlanStep = { delivery, request: 'asked', force: false, take: 'all' };
      const { loadId } = await run<PlanStep, Plan>(createPlan, step);
      return await run<StageStep, BatchRows>(createStage, { delivery, loadId, batch: 0 });
    } finally {
      await close();
    }
  };

  for (const [what, deliver] of [
    ["Megaphone's file of a day", megaphone],
    ["a JSON shard of Leanplum's", shard('')],
    ["a CSV shard of Leanplum's", shard('events')],
  ] as const) {
    it(`is refused where it is ${what}`, async () => {
      const delivered = await deliver('');
      try {
        await assert.rejects(staged(delivered), { name: 'FileUnreadable', message: /it is empty/ });
      } finally {
        await delivered.source.drop();
      }
    });
  }

  it('is left out and named where it is one of many of Monetate', async () => {
    const source = await monetateSource();
    const key = (hour: string): string => `2026/11/20/20261120T${hour}0000.000Z_PT15M-1.json.gz`;
    try {
      await source.put(key('01'), '');
      await source.put(key('02'), gzipSync('{"session_id":"1"}\n'));
      await source.put(key('03'), '\n');
      await source.put(key('04'), gzipSync(''));
      const rows = await staged({ source, delivery: nameDay(source.config, 'sessions', date) });
      assert.equal(rows.loaded, 1);
      const files = await source.rows(
        `select f.key, lf.unreadable from landfall.load_file lf join landfall.file f on f.id = lf.file_id order by 1`,
      );
      const said = files.map(({ unreadable }) => String(unreadable));
      assert.match(said[0]!, /it is empty/);
      assert.deepEqual([said[1], said[3]], ['null', 'null']);
      assert.match(said[2]!, /its name says gzip, and it is none and holds no row/);
    } finally {
      await source.drop();
    }
  });

  for (const [what, deliver] of [
    ["Megaphone's file of a day", megaphone],
    ["a JSON shard of Leanplum's", shard('')],
  ] as const) {
    it(`is another thing than gzip of nothing, which is ${what} without rows`, async () => {
      const delivered = await deliver(gzipSync(''));
      try {
        const { files, parsed } = await staged(delivered);
        assert.deepEqual([files, parsed], [1, 0]);
      } finally {
        await delivered.source.drop();
      }
    });
  }
});
