import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { createPlan, type Plan, type PlanStep } from '../../activities/plan.js';
import { createStage, type StageStep } from '../../activities/stage.js';
import { nameDay } from '../../config/name-delivery.js';
import type { BatchRows } from '../../warehouse/batch-rows.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { openActivities, type OpenActivities } from '../support/activities.js';
import { monetateSource, type MonetateSource } from '../support/monetate.js';

const key = (file: number): string =>
  `2026/11/20/20261120T${String(file).padStart(2, '0')}0000.000Z_PT15M-1.json.gz`;
const sessions = (file: number, count: number, more: object = {}): string =>
  Array.from(
    { length: count },
    (_, line) => `${JSON.stringify({ session_id: `${file}-${line}`, offers: { 7: 1 }, ...more })}\n`,
  ).join('');

describe('small files, staged together', function () {
  this.timeout(60_000);
  let source: MonetateSource;
  let deps: OpenActivities['deps'];
  let run: OpenActivities['run'];
  let close: OpenActivities['close'];

  beforeEach(async () => {
    source = await monetateSource();
    ({ deps, run, close } = openActivities(source, 2));
    for (const file of [0, 1, 2, 3]) await source.put(key(file), gzipSync(sessions(file, file + 1)));
  });
  afterEach(async () => {
    await close();
    await source.drop();
  });

  const planned = async (): Promise<StageStep> => {
    const delivery = nameDay(source.config, 'sessions', '2026-11-20');
    await openDelivery(deps.pool, delivery, 0);
    const { loadId } = await run<PlanStep, Plan>(createPlan, { delivery, request: 'asked', force: false });
    return { delivery, loadId, batch: 0 };
  };
  const stage = (step: StageStep): Promise<BatchRows> => run<StageStep, BatchRows>(createStage, step);
  /** What the ledger says of each file, and the transaction that said it. */
  const inLedger = () =>
    source.rows(
      `select substring(f.key from 21 for 2)::int as file, lf.unreadable, lf.rows_loaded::int as loaded,
              (lf.rows_by_table ->> 'session_offer')::int as offers, lf.xmin::text as transaction
       from landfall.load_file lf join landfall.file f on f.id = lf.file_id order by 1`,
    );
  const told = async () =>
    (await inLedger()).map(({ file, loaded, unreadable }) => [file, loaded, unreadable]);

  it('are staged in one transaction, each with its own counts', async () => {
    const { files, parsed, loaded, quarantined } = await stage(await planned());
    assert.deepEqual([files, parsed, loaded, quarantined], [4, 10, 10, 0]);
    const rows = await inLedger();
    assert.deepEqual(
      rows.map(({ loaded: sessionsOf, offers }) => [sessionsOf, offers]),
      [1, 2, 3, 4].map((count) => [count, count]),
    );
    assert.equal(new Set(rows.map(({ transaction }) => transaction)).size, 1);
  });

  it('without one whose gzip breaks off, which is named', async () => {
    const whole = gzipSync(sessions(1, 500));
    await source.put(key(1), whole.subarray(0, whole.length - 9));
    await source.put(key(4), 'no gzip, no JSON');
    const { files, parsed, loaded, quarantined } = await stage(await planned());
    assert.deepEqual([files, parsed, loaded, quarantined], [5, 8, 8, 0]);
    const [first, broken, ...others] = await told();
    assert.deepEqual(first, [0, 1, null]);
    assert.deepEqual(broken?.slice(0, 2), [1, 0]);
    assert.match(String(broken?.[2]), /its gzip is cut off before its end/);
    assert.deepEqual(others.slice(0, 2), [
      [2, 3, null],
      [3, 4, null],
    ]);
    assert.equal(others[2]?.[1], 0);
    assert.ok(others[2]?.[2], 'what is neither is left out too');
  });

  it('without one of which Postgres refuses a row: then each is staged alone', async () => {
    const digits = `1${'0'.repeat(140_000)}`;
    await source.put(
      key(2),
      gzipSync(sessions(2, 1).replace('"offers"', `"view_lines":[{"a":${digits}}],"offers"`)),
    );
    const { files, loaded } = await stage(await planned());
    assert.equal(files, 4);
    const rows = await told();
    assert.equal(loaded, 7);
    assert.deepEqual(
      rows.map(([file, count]) => [file, count]),
      [
        [0, 1],
        [1, 2],
        [2, 0],
        [3, 4],
      ],
    );
    assert.match(
      String(rows[2]?.[2]),
      /^holds a row that looked sound and Postgres refuses: value overflows/,
    );
  });

  it('once, whoever else is at it', async () => {
    const step = await planned();
    const both = await Promise.all([stage(step), stage(step)]);
    for (const { files, loaded } of both) assert.deepEqual([files, loaded], [4, 10]);
    const [held] = await source.rows(
      `select count(*)::int as rows from landfall_staging.load_${step.loadId}_session`,
    );
    assert.equal(held?.['rows'], 10);
  });

  it('not when one was written anew since it was listed: it is planned again', async () => {
    const step = await planned();
    await source.put(key(3), gzipSync(sessions(3, 9)), Date.now());
    await assert.rejects(stage(step), { name: 'FileChanged' });
    assert.deepEqual(
      (await told()).map(([, loaded]) => loaded),
      [null, null, null, null],
    );
  });
});
