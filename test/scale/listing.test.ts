import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import { createActivities, type Activities } from '../../activities/create.js';
import { openSources } from '../../activities/sources.js';
import { turns } from '../../activities/turns.js';
import { batchRows } from '../../warehouse/batch-rows.js';
import type { BatchLimits } from '../../warehouse/plan-request.js';
import { eventually } from '../support/eventually.js';
import {
  inTemporaryFolder,
  prefix,
  testSource,
  workflowBundle,
  type TestSource,
} from '../support/landfall.js';
import { devServer } from '../support/temporal.js';
import { listingServer, type ListingServer } from './listing-server.js';

const date = '2026-03-01';
const folder = `${prefix}type=events/date=${date}/`;
const megabyte = 1_000_000;

describe('a day of many parts', function () {
  this.timeout(180_000);
  let server: ListingServer | undefined;
  let source: TestSource | undefined;
  afterEach(async () => {
    await source?.drop();
    await server?.stop();
    [server, source] = [undefined, undefined];
  });

  it('is planned without holding its listing: 20,000 parts take no more memory than 2,000', async () => {
    const heap: number[] = [];
    for (const parts of [2_000, 20_000]) {
      const seen: number[] = [];
      server = await listingServer(folder, parts, () => seen.push(heapUsed()));
      source = await testSource({ through: server.endpoint });
      await withActivities(source, undefined, async (activities) => {
        const input = source!.input('events', date);
        await inActivity(activities.openDelivery, input);
        const step = { delivery: input, request: 'run/load-0', force: false };
        const plan = await inActivity(activities.plan, step);
        assert.deepEqual([plan.files, plan.ignored, plan.batches], [parts, 1, Math.ceil(parts / 250)]);
        await assertInKeyOrder(source!, plan.loadId, parts);
      });
      heap.push(Math.max(...seen) - (seen[0] ?? 0));
      await source.drop();
      await server.stop();
      [server, source] = [undefined, undefined];
    }
    const [few = 0, many = 0] = heap;
    assert.ok(many < 10 * megabyte, `the listing of 20,000 parts made the heap grow by ${many} bytes`);
    assert.ok(many - few < 5 * megabyte, `${many} bytes for 20,000 parts, ${few} bytes for 2,000`);
  });

  it('has a short history: 20,000 parts are under 1,000 events and 300 kB, and are asked for by whole folders', async () => {
    const parts = 20_000;
    server = await listingServer(folder, parts);
    source = await testSource({ through: server.endpoint });
    const { client, staged } = await loadWithoutReading(source, undefined, 2);
    assert.equal(staged.length, parts / 250);

    const workflow = client.workflow.getHandle(`${source.config.name}/events/${date}`);
    const { raw } = await workflow.describe();
    const [events, bytes] = [
      Number(raw.workflowExecutionInfo?.historyLength),
      Number(raw.workflowExecutionInfo?.historySizeBytes),
    ];
    assert.ok(events > 0 && events < 1_000, `${events} events`);
    assert.ok(bytes > 0 && bytes < 300_000, `${bytes} bytes of history`);
    assert.ok(server.prefixes.length >= parts / 1_000);
    assert.deepEqual([...new Set(server.prefixes)], [folder]);
    assert.ok(folder.endsWith('/'));
  });

  it('of more steps than a history may hold goes on in a new run, where it was, and is published once', async () => {
    const parts = 1_500;
    server = await listingServer(folder, parts);
    source = await testSource({ through: server.endpoint });
    const { client, staged, published } = await loadWithoutReading(
      source,
      { files: 1, bytes: 1_000_000 },
      10,
    );
    const batches = [...staged].sort((a, b) => a - b);
    assert.deepEqual(
      batches,
      Array.from({ length: parts }, (_, batch) => batch),
      'every batch is staged, and none twice',
    );
    assert.equal(published.length, 1);
    const { rows } = await source.database.pool.query('select state, files, batches from landfall.load');
    assert.deepEqual(rows, [{ state: 'published', files: parts, batches: parts }]);

    const id = `${source.config.name}/events/${date}`;
    const runs: number[] = [];
    await eventually(
      async () => {
        runs.length = 0;
        const found = client.workflow.list({ query: `WorkflowId = '${id}'` });
        for await (const { historyLength } of found) runs.push(historyLength);
        return runs.length > 1;
      },
      { timeoutMs: 10_000, what: 'the runs to be listed' },
    );
    assert.ok(Math.max(...runs) > 4_096, `${Math.max(...runs)} events: no run had to end`);
    assert.ok(Math.max(...runs) < 4_500, `a run went on for ${Math.max(...runs)} events`);
  });
});

/** Loads the day with real plans and publications; what is staged are files without a row. */
async function loadWithoutReading(
  source: TestSource,
  batchLimits: BatchLimits | undefined,
  inFlight: number,
): Promise<{ client: Client; staged: readonly number[]; published: readonly string[] }> {
  const { environment } = await devServer();
  const { client, nativeConnection } = environment;
  const staged: number[] = [];
  const published: string[] = [];
  await withActivities(source, batchLimits, async (activities) => {
    const { pool } = source.database;
    const worker = await Worker.create({
      connection: nativeConnection,
      namespace: 'default',
      taskQueue: source.taskQueue,
      workflowBundle: await workflowBundle(),
      activities: {
        ...activities,
        stage: async ({ loadId, batch }: Parameters<Activities['stage']>[0]) => {
          staged.push(batch);
          await pool.query(
            `update landfall.load_file
             set staged_at = now(), rows_parsed = 0, rows_loaded = 0, rows_quarantined = 0, rows_duplicate = 0
             where load_id = $1 and batch = $2`,
            [loadId, batch],
          );
          return (await batchRows(pool, loadId, batch)).staged;
        },
        publish: async (step: Parameters<Activities['publish']>[0]) => {
          published.push(step.loadId);
          return activities.publish(step);
        },
      },
    });
    const result = await worker.runUntil(async () =>
      (await source.start(client, source.input('events', date, { inFlight }))).result(),
    );
    assert.equal(result.finality, 'final', result.reason);
  });
  return { client, staged, published };
}

async function withActivities<T>(
  source: TestSource,
  batchLimits: BatchLimits | undefined,
  work: (activities: Activities) => Promise<T>,
): Promise<T> {
  const sources = openSources([source.config], source.database.pool);
  const { client } = (await devServer()).environment;
  try {
    return await inTemporaryFolder((spool) =>
      work(
        createActivities({
          pool: source.database.pool,
          source: sources.source,
          client,
          reader: { memoryLimit: '128MB', threads: 1, spillDirectory: spool },
          spoolDirectory: spool,
          readers: turns(2),
          batchLimits,
        }),
      ),
    );
  } finally {
    await sources.close();
  }
}

async function assertInKeyOrder(source: TestSource, loadId: string, parts: number): Promise<void> {
  const { rows } = await source.database.pool.query<{ files: number; in_order: boolean; largest: number }>(
    `select count(*)::integer as files, bool_and(batch = (position - 1) / 250) as in_order
     from (
       select lf.batch, row_number() over (order by f.key collate "C") as position
       from landfall.load_file lf join landfall.file f on f.id = lf.file_id
       where lf.load_id = $1
     ) as numbered`,
    [loadId],
  );
  assert.deepEqual(rows, [{ files: parts, in_order: true }]);
}

function inActivity<I, O>(step: (input: I) => Promise<O>, input: I): Promise<O> {
  return new MockActivityEnvironment().run(step, input);
}

/** Bytes that are really in use: after everything that is garbage has gone. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
